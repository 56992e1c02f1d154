"""The settings of the command on published scaled networks."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.published import efficientnet

V2 = "v2"
TABLES = (*map(str, efficientnet.TABLES), V2)


@dataclass(frozen=True)
class PublishedConfig:
    """The tables to print.

    Attributes:
        tables: Tables of EfficientNet's paper, 3 (MobileNetV1, MobileNetV2, ResNet-50) and 7 (EfficientNet-B0), and v2
            (EfficientNetV2-S to M and L).
        out: Folder to write the scaled networks of these tables into, each as an arch file that studies.train --arch
            takes. Default: none.

    """

    tables: tuple[int | str, ...] = TABLES
    out: str | None = None

    def __post_init__(self) -> None:
        if not self.names or not set(self.names) <= set(TABLES):
            raise ValueError(f"--tables must be among {' '.join(TABLES)}, got {' '.join(self.names) or 'none'}")

    @property
    def names(self) -> tuple[str, ...]:
        """The tables as text, each once."""
        return tuple(dict.fromkeys(map(str, self.tables)))
