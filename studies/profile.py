"""Latency of networks on this machine beside their cost: `python -m studies.profile NAME|FILE ...`."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.common import cli
from search_spaces.common.files import atomic_write
from search_spaces.common.text import align_columns, pluralise
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import CONVENTION, cost
from search_spaces.networks.arch import Arch
from search_spaces.zoo import registry as catalog
from search_spaces.zoo.registry import find

if TYPE_CHECKING:
    from studies.timing.latency import Conditions, Latency

LAYOUTS = {"auto": None, "channels_last": True, "contiguous": False}
HEADER = (
    "network", "px", "params", "FLOPs", "activations", "mean ms", "sd ms", "median ms", "quartiles ms", "images/s",
    "layout",
)  # fmt: skip
# Share of the mean. On an idle machine the standard deviation of the runs is smaller.
MAX_IDLE_DEVIATION = 0.1


@dataclass(frozen=True)
class Profile:
    """A network, by the name it was given, and its latency."""

    network: str
    arch: Arch
    latency: Latency

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, raw units: seconds, multiply-adds, activations of one image."""
        fields = {"network": self.network, "key": self.arch.key, "resolution": self.arch.resolution}
        spent = {"params": (whole := cost(self.arch)).params, "macs": whole.macs, "activations": whole.activations}
        return {**fields, **spent, **_timing(self.latency)}

    def row(self) -> tuple[str, ...]:
        """The cells under `HEADER`."""
        spent, took = cost(self.arch), self.latency
        counts = (format_count(value, 4) for value in (spent.params, spent.macs, spent.activations))
        deviation = "" if took.std is None else _ms(took.std)
        times = (_ms(took.mean), deviation, _ms(took.median), f"{_ms(took.low)} to {_ms(took.high)}")
        layout = "channels_last" if took.channels_last else "contiguous"
        return (self.network, f"{self.arch.resolution}", *counts, *times, f"{took.images_per_second:.1f}", layout)


def main(argv: Sequence[str]) -> int:
    """Run the command: measure the networks, and print or write the result."""
    arguments = _parse(argv)
    if arguments.csv:
        _check_writable(Path(arguments.csv))
    archs = [_arch(name, arguments.resolution) for name in arguments.networks]
    from studies.timing.latency import Conditions, measure_all

    conditions = Conditions(
        batch=arguments.batch,
        threads=arguments.threads,
        runs=arguments.runs,
        warmup=arguments.warmup,
        channels_last=LAYOUTS[arguments.layout],
        device=arguments.device,
    )
    latencies = measure_all(archs, conditions)
    profiles = [Profile(*row) for row in zip(arguments.networks, archs, latencies, strict=True)]
    machine = describe_machine(conditions.device)
    print((to_json if arguments.json else report)(profiles, conditions, machine))
    if arguments.csv:
        atomic_write(arguments.csv, to_csv(profiles))
    return 0


def report(profiles: Sequence[Profile], conditions: Conditions, machine: Mapping[str, Any]) -> str:
    """The table, the conditions of the measurement, and a warning if the runs vary too much."""
    runs = f"{pluralise(conditions.runs, 'run')} after {conditions.warmup} to warm up"
    how = [
        f"{machine['device']} ({conditions.device}), {pluralise(conditions.threads, 'thread')}, "
        f"batch {conditions.batch}, {runs}, float32, torch {machine['torch']}",
        "Times are those of one forward pass of a batch whose images are on the device. Params, FLOPs and "
        "activations are those of one image.",
        CONVENTION,
    ]
    return "\n".join([_table(profiles), "", *how, *_warnings(profiles)])


def to_json(profiles: Sequence[Profile], conditions: Conditions, machine: Mapping[str, Any]) -> str:
    """One JSON object: the machine, the conditions, and a row in raw units for each network."""
    settings = dataclasses.asdict(conditions)
    del settings["channels_last"]  # it is a value of each network
    networks = [profile.as_dict() for profile in profiles]
    return json.dumps({"machine": dict(machine), "conditions": settings, "networks": networks}, indent=2)


def to_csv(profiles: Sequence[Profile]) -> str:
    """The rows of `to_json` with a header line."""
    rows = [profile.as_dict() for profile in profiles]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def describe_machine(device: str) -> dict[str, Any]:
    """The name of the processor or GPU, the operating system, and versions of libraries."""
    import torch

    from studies.runs.manifest import describe_session
    from studies.timing.timer import device_name

    session = describe_session([])
    return {
        "device": device_name(torch.device(device)),
        "system": session["machine"]["system"],
        **session["versions"],
    }


def _table(profiles: Sequence[Profile]) -> str:
    return align_columns(HEADER, [profile.row() for profile in profiles], left=(HEADER[0], HEADER[-1]))


def _timing(latency: Latency) -> dict[str, Any]:
    fields = dataclasses.asdict(latency)
    for name in ("mean", "median", "std", "low", "high"):
        fields[f"{name}_seconds"] = fields.pop(name)
    return fields | {"images_per_second": latency.images_per_second}


def _warnings(profiles: Sequence[Profile]) -> list[str]:
    """A line about the networks whose runs vary more than on an idle machine."""
    shares = [(p.network, p.latency.std / p.latency.mean) for p in profiles if p.latency.std is not None]
    wide = ", ".join(f"{name} (sd {share:.0%} of the mean)" for name, share in shares if share > MAX_IDLE_DEVIATION)
    if not wide:
        return []
    return [
        f"warning: run times vary for {wide}, as if another process was busy or --runs were few; use the median, or "
        "measure again with more --runs"
    ]


def _arch(network: str, resolution: int | None) -> Arch:
    arch = find(network)
    return arch if resolution is None else arch.replace(resolution=resolution)


def _check_writable(path: Path) -> None:
    """Raise ValueError, before anything is measured, for a file that cannot be written."""
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"--csv {path} is a folder, or lies in none that exists: name a file in an existing folder")


def _ms(seconds: float) -> str:
    """Milliseconds to the microsecond below 10, else to three or more digits."""
    value = 1000 * seconds
    return f"{value:.{3 if value < 10 else 2 if value < 100 else 1}f}"


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, names and flags in any order. Raises ValueError for an invalid one."""
    parser = _parser()
    try:
        arguments, unknown = parser.parse_known_intermixed_args(argv)
    except argparse.ArgumentError as error:
        raise ValueError(f"{error}; see --help") from None
    if unknown:
        raise ValueError(f"unknown argument '{unknown[0]}'; see --help")
    if not arguments.networks:
        raise ValueError(f"name at least one network, such as {catalog.names()[0]}, or an arch file; see --help")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies.profile",
        description="Measure the latency of networks on this machine and print it beside their cost. The defaults are "
        "those of the EfficientNet paper's table: one core, batch size 1, the mean of 20 runs.",
        epilog=f"{CONVENTION} Published networks: {', '.join(catalog.names())}.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("networks", nargs="*", metavar="NAME|FILE", help="published networks or arch files (JSON)")
    add = parser.add_argument
    add("--batch", type=int, default=1, metavar="N", help="images in one forward pass (default: 1)")
    add("--threads", type=int, default=1, metavar="N", help="CPU threads (default: 1)")
    add("--runs", type=int, default=20, metavar="N", help="timed passes (default: 20)")
    add("--warmup", type=int, default=5, metavar="N", help="untimed passes before them (default: 5)")
    add(
        "--layout",
        choices=LAYOUTS,
        default="auto",
        help="memory layout (default: auto, the faster one of each network)",
    )
    add("--device", default="cpu", metavar="cpu|cuda", help="device to measure on (default: cpu)")
    add("--resolution", type=int, metavar="PX", help="side of the images in pixels (default: that of each network)")
    add("--csv", metavar="FILE", help="also write the rows to this file, in raw units")
    add("--json", action="store_true", help="print one JSON object in raw units, not the table")
    return parser


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
