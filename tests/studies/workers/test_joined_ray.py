"""A Ray that is joined, whose workers run in another folder than the driver."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.studies.trainings import TINY, rows

PATIENCE = 60
ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def head_node(cwd: Path, environment: dict[str, str]) -> Iterator[str]:
    """A Ray head on the loopback device whose processes work in the folder `cwd`. Yields its address."""
    port = free_port()
    options = f"--head --block --port {port} --num-cpus 1 --num-gpus 0 --node-ip-address 127.0.0.1"
    # Short: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options.split(), "--temp-dir", folder]
        command += ["--include-dashboard", "false", "--disable-usage-stats", "--object-store-memory", str(80 << 20)]
        with (cwd / "head.log").open("w") as log:
            process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log)
        try:
            wait_for_start(process, cwd / "head.log")
            yield f"127.0.0.1:{port}"
        finally:
            end(process)


def wait_for_start(process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + PATIENCE
    while "Ray runtime started" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < limit, log.read_text()
        time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the head and, by their numbers, the processes it started."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.kill()
    process.wait()


def write_images(folder: Path) -> None:
    """Two classes of 24 images: dark and bright noise."""
    generator = np.random.default_rng(0)
    for name, level in (("dark", 60), ("bright", 160)):
        (folder / name).mkdir(parents=True)
        for index in range(24):
            pixels = generator.integers(level, level + 60, size=(16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")


@pytest.mark.slow
def test_relative_folders_mean_the_drivers(tmp_path: Path) -> None:
    """The images, the data root and the run folder are relative to the driver; the node starts elsewhere."""
    node, driver = tmp_path / "node", tmp_path / "driver"
    node.mkdir()
    write_images(driver / "photos")
    TINY.replace(classes=2).save(driver / "tiny.json")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    with head_node(node, environment) as address:
        words = (
            "--dataset imagefolder:photos --run runs/a --arch tiny.json --recipe quick --epochs 1 --batch-size 16 "
            "--cpus-per-worker 1 --device cpu"
        )
        done = subprocess.run(
            [sys.executable, "-m", "studies.train", *words.split(), "--ray-address", address],
            cwd=driver,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert len(rows(driver / "runs" / "a")) == 1
    assert [path.name for path in node.iterdir()] == ["head.log"]
