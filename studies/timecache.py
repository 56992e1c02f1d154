"""Measured times as small files, so that nothing is measured twice and whoever comes later gets the same figure."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_spaces.files import write_once


@dataclass(frozen=True)
class TimeCache:
    """Medians of measured seconds in a folder that every worker sees; with an empty `folder` nothing is kept.

    Of several workers that measure the same at once the first to write counts, for all of them.
    """

    folder: str

    def seconds(self, name: str, facts: Mapping[str, Any], measure: Callable[[], Sequence[float]]) -> float:
        """The median of some runs; `facts` (plain JSON values) are all that the time depends on, `name` is for people.

        A file that cannot be read is measured again.
        """
        if not self.folder:
            return statistics.median(measure())
        text = json.dumps(facts, sort_keys=True)
        path = Path(self.folder) / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        known = _read(path)
        if known is None:
            runs = list(measure())
            path.parent.mkdir(parents=True, exist_ok=True)
            content = {"seconds": statistics.median(runs), "runs": runs, **facts}
            if write_once(path, json.dumps(content, indent=1) + "\n"):
                return statistics.median(runs)
            known = _read(path)
            # Nobody writes there but this function, whole files.
            assert known is not None
        return known


def _read(path: Path) -> float | None:
    try:
        return float(json.loads(path.read_text())["seconds"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return None
