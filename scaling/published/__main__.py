"""Compare the papers' scaled networks with ours: `python -m scaling.published` (EN, Tables 3 and 7; V2)."""

from __future__ import annotations

from collections.abc import Sequence

from scaling.published.config import PublishedConfig
from search_spaces.common import cli

DESCRIPTION = (
    "Print the networks that EfficientNet's paper scaled by depth, width, resolution and all three (Tables 3 and 7): "
    "their cost as we scale them, the published cost, and what may explain a difference. Then EfficientNetV2-M and L "
    "and S scaled to their cost. FLOPs are multiply-adds."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake."""
    config = cli.parse(PublishedConfig, argv, prog="python -m scaling.published", description=DESCRIPTION)

    from scaling.published.files import networks, write
    from scaling.published.report import describe, describe_files

    text = describe(config.names)
    if config.out:
        archs = networks(config.names)
        write(config.out, archs)
        text += f"\n\n{describe_files(config.out, archs)}"
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
