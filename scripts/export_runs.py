"""Copy what can be published of run folders: `python scripts/export_runs.py TARGET RUN [RUN ...]`.

Configuration, manifest, CSV and JSON files; no ledger, no weights. Paths and names of the machine are left out of the
manifest, so that the copy says how it was made and not where.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

PRIVATE = ("folder", "pid")


def main(target: Path, runs: list[Path]) -> None:
    """Copy each run to TARGET/NAME."""
    for run in runs:
        folder = target / run.name
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted([*run.glob("*.csv"), *run.glob("*.json"), run / "config.yaml", run / "result.txt"]):
            if path.name == "manifest.json":
                manifest = json.loads(path.read_text())
                manifest["sessions"] = [published(session) for session in manifest["sessions"]]
                (folder / path.name).write_text(json.dumps(manifest, indent=2) + "\n")
            else:
                shutil.copyfile(path, folder / path.name)
        print(folder, sum(path.stat().st_size for path in folder.iterdir()) // 1024, "KiB")


def published(session: dict[str, Any]) -> dict[str, Any]:
    """A session of a manifest without what belongs to the machine it ran on."""
    kept = {key: value for key, value in session.items() if key not in PRIVATE}
    words = str(kept.get("command", "")).split()
    kept["command"] = " ".join(["python", *words[1:]])
    kept["machine"] = {key: value for key, value in kept.get("machine", {}).items() if key != "name"}
    return kept


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: export_runs.py TARGET RUN [RUN ...]")
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
