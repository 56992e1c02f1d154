"""What the configurations of all commands that read images have in common. Imports nothing heavy."""

from __future__ import annotations

from typing import Protocol


class DataConfig(Protocol):
    """The settings of a command that name its images.

    Each configuration has the fields, with their help, at the place where its --help and its config.yaml show them.
    `seed` splits training and validation images.
    """

    @property
    def dataset(self) -> str: ...
    @property
    def data_root(self) -> str: ...
    @property
    def seed(self) -> int: ...
