"""Write a family of networks grown from one baseline: `python -m scaling.family --coefficients FILE --phi 0 1 2 3`."""

from __future__ import annotations

from collections.abc import Sequence

from scaling.family.config import FamilyConfig
from scaling.family.files import about, files, output_folder
from scaling.family.plan import family, origin
from search_spaces.common import cli

DESCRIPTION = (
    "Grow a baseline by coefficients alpha, beta, gamma into a family: the network at each phi has d = alpha^phi, "
    "w = beta^phi, r = gamma^phi. Writes each as an arch file, with its table, cost and memory. FLOPs are "
    "multiply-adds."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(FamilyConfig, argv, prog="python -m scaling.family", description=DESCRIPTION)

    from scaling.family.report import describe

    found = origin(config)
    members = family(config, found)
    output_folder(config.out).replace(files(members), about(config, found, members))
    print(describe(config, found, members))
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
