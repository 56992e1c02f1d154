"""The settings of all commands that read images. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.common.settings import setting
from studies.data.registry import BUNDLED


@dataclass(frozen=True)
class DataConfig:
    """Images to train on.

    Attributes:
        dataset: Images: {names}.
        root: Folder of downloaded data sets.

    """

    dataset: str = setting(BUNDLED, registry="studies.data.registry:DATASETS")
    root: str = setting("data", flag="data-root")
