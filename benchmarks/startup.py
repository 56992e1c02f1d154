"""How long a user waits for the first sign of life: the best of several starts of each command.

python benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys
import time

COMMANDS = {
    "python -m nas.search --help": ["-m", "nas.search", "--help"],
    "python -m search_spaces.table --help": ["-m", "search_spaces.table", "--help"],
    'python -c "import search_spaces"': ["-c", "import search_spaces"],
    "python -m nas.search --target-flops 5G (refused)": ["-m", "nas.search", "--target-flops", "5G"],
}
REPETITIONS = 7


def seconds(words: list[str]) -> float:
    """Wall-clock seconds of one start."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=False)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    print(f"{'command':<50} {'seconds':>8}")
    for name, words in COMMANDS.items():
        print(f"{name:<50} {min(seconds(words) for _ in range(REPETITIONS)):>8.2f}")


if __name__ == "__main__":
    main()
