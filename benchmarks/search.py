"""The default search in a fresh run folder: wall-clock time, memory of all its processes, share of time spent training.

python benchmarks/search.py [--run FOLDER] [further flags of nas.search]

Memory is the proportional set size (shared pages counted once) of the driver and everything it started, sampled once a
second. The share is worker-seconds inside trainings over workers times the time from the first trial to the last.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SAMPLE_SECONDS = 1.0


def memory(root: psutil.Process) -> int:
    """Bytes that the process and its descendants hold; Ray's own processes are among them."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def main() -> None:
    """Run the search, sampling, and print the figures."""
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(words[words.index("--run") + 1]) if "--run" in words else Path(folder) / "run"
        more = words if "--run" in words else [*words, "--run", str(run)]
        began, peak = time.perf_counter(), 0
        with subprocess.Popen([sys.executable, "-m", "nas.search", "--target-flops", "400M", *more]) as search:
            root = psutil.Process(search.pid)
            while search.poll() is None:
                peak = max(peak, memory(root))
                time.sleep(SAMPLE_SECONDS)
        print(f"\nwall clock    {time.perf_counter() - began:.0f} s")
        print(f"peak memory   {peak / 2**30:.2f} GiB, all processes")
        for line in (run / "log.txt").read_text().splitlines():
            if "of worker time" in line:
                print(f"utilisation   {line.rpartition('nas.search.run: ')[2]}")


if __name__ == "__main__":
    main()
