"""Write a family of networks grown from one baseline: `python -m scaling.family --coefficients FILE --phi 0 1 2 3`."""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.coefficients_file import Found, read
from scaling.compound import PAPER, Coefficients, at_resolution
from scaling.roundings import RoundingChoice
from scaling.strategy import V2, Strategy, get_strategy
from search_spaces import commandline
from search_spaces.arch import Arch
from search_spaces.flags import check_least
from search_spaces.units import parse_bytes

if TYPE_CHECKING:
    from scaling.family_table import Member, Room

FORMAT = "triaxis-family-1"
INDEX = "family.json"
STRATEGIES = ("compound", V2)
DESCRIPTION = (
    "Grow a baseline by coefficients alpha, beta, gamma into a family: the network at each phi has d = alpha^phi, "
    "w = beta^phi, r = gamma^phi. Writes each as an arch file, with its table, cost and memory. FLOPs are "
    "multiply-adds."
)


@dataclass(frozen=True)
class FamilyConfig:
    """A family of networks.

    Attributes:
        coefficients: Needed: a coefficients file (whose baseline and rounding hold unless others are given), three
            numbers such as 1.2,1.1,1.15, or paper (EfficientNet's).
        baseline: A published network's name or an arch file; the coefficients file's unless given, and for paper
            efficientnet_b0.
        phi: Places in the family, in the order of the table; phi 0 is the baseline.
        equal_cost: Grow each member to 2^phi times the baseline's FLOPs, whatever the product of the coefficients,
            instead of rounding as the papers do.
        strategy: compound, or v2: no image above 480 px, and layers added to the late stages first (EfficientNetV2);
            v2:PX for another cap. With --equal-cost depth and width make up for what the cap takes.
        depth_weights: How fast the stages deepen beside each other, one number a stage from the first to the last, such
            as 0 0 0 0 1 1 1; 0 keeps a stage as it is, equal numbers are compound scaling. The strategy's unless given.
        rounding: To what sizes are rounded.
        batch_size: Images a training step, for the memory that training needs.
        max_memory: Memory for training, such as 8GiB; a member that needs more is marked in the table; no limit
            unless given.
        resolution: Input side in pixels of the baseline; 0 is its own.
        out: Folder of the family; an older family there is replaced.

    """

    coefficients: str = ""
    baseline: str = ""
    phi: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    equal_cost: bool = False
    strategy: str = "compound"
    depth_weights: tuple[float, ...] = ()
    rounding: RoundingChoice = field(default_factory=RoundingChoice)
    batch_size: int = 64
    max_memory: str | None = None
    resolution: int = 0
    out: str = "runs/family"

    def __post_init__(self) -> None:
        if not self.coefficients:
            raise ValueError("--coefficients is missing: give a file, three numbers such as 1.2,1.1,1.15, or paper")
        if not self.phi:
            raise ValueError("--phi needs a value")
        for phi in self.phi:
            if not (math.isfinite(phi) and phi >= 0):
                raise ValueError(f"--phi must be 0 or more, got {phi:g}")
            if self.phi.count(phi) > 1:
                raise ValueError(f"--phi must name each member once, got {phi:g} twice")
        check_least(self, {"batch_size": 1, "resolution": 0})
        if self.way.name.partition(":")[0] not in STRATEGIES:
            raise ValueError(f"--strategy must be {' or '.join(STRATEGIES)}, got {self.strategy}: use scaling.curves")

    @property
    def way(self) -> Strategy:
        """The strategy that says how growth is spread; the coefficients say how fast each dimension grows."""
        named = get_strategy(self.strategy)
        if not self.depth_weights:
            return named
        try:
            return dataclasses.replace(named, depth_weights=self.depth_weights)
        except ValueError as error:
            raise ValueError(f"--depth-weights: {error}") from None

    @property
    def room(self) -> Room:
        """The batch, and the bytes for it."""
        from scaling.family_table import Room

        try:
            return Room(self.batch_size, None if self.max_memory is None else parse_bytes(self.max_memory))
        except ValueError as error:
            raise ValueError(f"--max-memory: {error}") from None


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = commandline.parse(FamilyConfig, argv, prog="python -m scaling.family", description=DESCRIPTION)

    from scaling.family_report import describe

    found = source(config)
    members = family(config, found)
    write(Path(config.out), files(config, found, members))
    print(describe(config, found, members))
    return 0


def source(config: FamilyConfig) -> Found:
    """The coefficients, the baseline at its resolution and the rounding that the settings mean."""
    from search_spaces.table import find

    name = config.baseline or ("efficientnet_b0" if config.coefficients == "paper" else "")
    given = PAPER if config.coefficients == "paper" else _numbers(config.coefficients)
    if given is None:
        found = read(config.coefficients)
        baseline = _at(config, find(name) if name else found.baseline)
        return dataclasses.replace(found, baseline=baseline, rounding=config.rounding.over(found.rounding))
    if not name:
        raise ValueError("--baseline is missing: coefficients given as numbers need a network's name or an arch file")
    baseline = _at(config, find(name))
    return Found(given, baseline, config.rounding.for_network(baseline))


def _at(config: FamilyConfig, baseline: Arch) -> Arch:
    return at_resolution(baseline, config.resolution) if config.resolution else baseline


def _numbers(text: str) -> Coefficients | None:
    """Three numbers; None for what can only be a file. Raises ValueError for what is neither."""
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 3:
        return Coefficients(*numbers)
    if numbers or (not Path(text).exists() and not text.endswith(".json") and "/" not in text):
        raise ValueError(
            f"--coefficients must be a coefficients file, three numbers such as 1.2,1.1,1.15, or paper; got '{text}'"
        )
    return None


def family(config: FamilyConfig, found: Found) -> list[Member]:
    """The networks, in the order of phi. ValueError for a cap or depth weights that do not go with the baseline."""
    from scaling.family_table import grow

    given, stages = len(config.depth_weights), len(found.baseline.stages)
    if given not in (0, stages):
        raise ValueError(f"--depth-weights must be one number a stage, {stages} for this baseline, got {given}")
    cap, side = config.way.cap, found.baseline.resolution
    if 0 < cap < side:
        raise ValueError(
            f"--strategy {config.strategy} keeps images at {cap} px or below and the baseline has {side}: take "
            f"{V2}:{side} or more, or a --resolution of at most {cap}"
        )
    return [
        grow(found.baseline, found.coefficients, phi, found.rounding, config.room, config.equal_cost, config.way)
        for phi in config.phi
    ]


def files(config: FamilyConfig, found: Found, members: Sequence[Member]) -> dict[str, str]:
    """Text of every file by name: networks, their tables, the family as CSV and JSON."""
    from scaling.family_table import to_csv
    from search_spaces.table import stage_table, totals

    content = {f"{member.label}.json": member.arch.to_json() for member in members}
    for member in members:
        content[f"{member.label}.txt"] = f"{stage_table(member.arch)}\n\n{totals(member.arch)}\n"
    content["family.csv"] = to_csv(members)
    index = {
        "format": FORMAT,
        "equal_cost": config.equal_cost,
        "strategy": config.strategy,
        "depth_weights": list(config.way.depth_weights),
        "batch_size": config.batch_size,
        "max_memory_bytes": config.room.limit,
        "origin": json.loads(found.to_json()),
        "members": [member.row() for member in members],
        "files": [*content, INDEX],
    }
    return {**content, INDEX: json.dumps(index, indent=2) + "\n"}


def write(folder: Path, content: Mapping[str, str]) -> None:
    """Put the files into a folder of their own, all or none, in place of an older family.

    Raises ValueError where the folder holds anything that no family has written, or cannot be made.
    """
    folder = folder.resolve()
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            made, old = Path(scratch) / "new", Path(scratch) / "old"
            made.mkdir()
            for name, text in content.items():
                (made / name).write_text(text)
            _swap(folder, made, old)
    except OSError as error:
        raise ValueError(f"cannot write the family to {folder}: {error.strerror}") from None


def _swap(folder: Path, made: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise


def _check_replaceable(folder: Path) -> None:
    """Raise ValueError unless the folder is absent, empty or holds a family and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: choose another")
    there = {path.name for path in folder.iterdir()}
    try:
        index = json.loads((folder / INDEX).read_text()) if there else {}
        listed = set(index["files"]) if index.get("format") == FORMAT else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        listed = set()
    if foreign := sorted(there - listed):
        raise ValueError(f"--out {folder} holds '{foreign[0]}', which is no family's file: choose another")


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))
