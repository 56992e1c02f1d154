"""The benchmark: what a search on a table sees, how regret is counted, what the command prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nas import mnas_reward
from nas.benchmark import __main__ as benchmark
from nas.benchmark.analysis import results_of
from nas.benchmark.objective import TableObjective
from nas.benchmark.optimizers import make_optimizer
from nas.benchmark.plan import Benchmark
from nas.benchmark.processes import run_searches
from nas.benchmark.report import report
from nas.benchmark.simulate import MAX_REPEATS, Trace, simulate
from nas.tables.table import BenchmarkTable
from search_spaces.common import cli
from search_spaces.spaces.space import Ints
from tests.texts import values


class Script:
    """Proposes given encodings, in a circle, and remembers the values it is told."""

    def __init__(self, rows: list[list[int]], own: list[int] | None = None) -> None:
        self.rows, self.own = rows, own
        self.values: list[tuple[float, bool]] = []

    def ask(self) -> Ints:
        return np.array(self.rows[len(self.values) % len(self.rows)])

    def tell(self, value: float, *, repeat: bool = False) -> None:
        self.values.append((value, repeat))

    def recommend(self) -> Ints | None:
        return None if self.own is None else np.array(self.own)


@pytest.fixture(scope="module")
def table() -> BenchmarkTable:
    """Four networks: true means 10, 20, 30, 41; the third can look like 50."""
    measured = np.array([[10.0, 10.0], [20.0, 20.0], [10.0, 50.0], [41.0, 41.0]])
    return BenchmarkTable("made up", {"a": (1, 2), "b": (1, 2)}, np.arange(4), measured, np.array([100, 200, 400, 800]))


@pytest.fixture(scope="module")
def grid() -> BenchmarkTable:
    """A smooth space of 4 ** 4 networks, dearer where better."""
    rows = np.indices((4,) * 4).reshape(4, -1).T
    truth = 90.0 + rows.sum(axis=1) / 4
    measured = truth[:, None] + np.random.default_rng(0).normal(0, 0.05, (256, 3))
    choices = {f"layer{place}": (1, 2, 3, 4) for place in range(4)}
    return BenchmarkTable("grid", choices, np.arange(256), measured, 1000 + 100 * rows.sum(axis=1))


def lucky_seed(table: BenchmarkTable) -> int:
    return next(seed for seed in range(50) if table.observe(2, seed) == 50.0)


def test_regret_is_counted_by_true_means_of_the_best_seen(table: BenchmarkTable):
    optimizer = Script([[0, 0], [0, 1], [1, 0], [1, 1]])
    trace = simulate("script", lambda *_: optimizer, TableObjective("accuracy", table), 4, lucky_seed(table))
    assert [value for value, _ in optimizer.values] == [10.0, 20.0, 50.0, 41.0]
    # The third looks best and is not: its mean is 30, 11 under the fourth's, which is never chosen.
    assert trace.observed.tolist() == [31.0, 21.0, 11.0, 11.0]
    assert np.isnan(trace.recommended).all()


def test_a_network_trained_again_is_judged_by_its_mean(table: BenchmarkTable):
    lucky = next(s for s in range(200) if [table.observe(2, s, time) for time in (0, 1)] == [50.0, 10.0])
    optimizer = Script([[1, 1], [1, 0], [1, 0]])
    trace = simulate("script", lambda *_: optimizer, TableObjective("accuracy", table), 3, lucky)
    assert trace.observed.tolist() == [0.0, 11.0, 0.0]
    assert trace.repeats == 1


def test_free_repeats_cost_nothing_and_end_where_nothing_is_new(table: BenchmarkTable):
    optimizer = Script([[0, 1], [0, 1], [1, 0]])
    trace = simulate("script", lambda *_: optimizer, TableObjective("accuracy", table), 10, 0, free=True)
    assert len(optimizer.values) == 2 + trace.repeats  # two trainings
    assert trace.repeats >= MAX_REPEATS
    assert optimizer.values[:2] == [(20.0, False), (20.0, True)]
    assert trace.observed[0] == 21.0
    assert (trace.observed[1:] == trace.observed[1]).all()


def test_a_recommendation_stands_beside_the_best_seen(table: BenchmarkTable):
    trace = simulate("script", lambda *_: Script([[0, 0]], own=[1, 1]), TableObjective("accuracy", table), 12, 0)
    assert np.isnan(trace.recommended[:9]).all()
    assert (trace.recommended[9:] == 0.0).all()
    assert (trace.observed == 31.0).all()


def test_rewards_take_their_target_from_percentiles_of_macs(table: BenchmarkTable):
    soft, hard = TableObjective("reward50", table), TableObjective("hard50", table)
    assert soft.reward is not None
    assert soft.target == 300
    expected = [mnas_reward(a, m, 300) for a, m in zip((10, 20, 30, 41), (100, 200, 400, 800), strict=True)]
    assert soft.regret == pytest.approx(max(expected) - np.array(expected))
    hards = np.array([10, 20, 30 * 300 / 400, 41 * 300 / 800])
    assert hard.regret == pytest.approx(hards.max() - hards)
    assert hard.factor is not None
    assert hard.factor(np.array([[0, 0], [1, 1]])) == pytest.approx([1.0, 0.375])
    assert TableObjective("accuracy", table).factor is None


def test_largest_network_is_a_baseline(table: BenchmarkTable):
    assert TableObjective("accuracy", table).regret_of_largest == 0.0
    assert TableObjective("accuracy", table, (100, 500)).regret_of_largest == 0.0
    assert TableObjective("accuracy", table, (100, 500)).regret[1] == 10.0
    assert TableObjective("hard50", table).regret_of_largest == pytest.approx(22.5 - 41 * 300 / 800)


def test_bands_hold_proposals_and_the_optimum(grid: BenchmarkTable):
    objective = TableObjective("accuracy", grid, (1300, 1500))
    trace = simulate("random", make_optimizer, objective, 20, 3)
    assert (trace.observed >= 0).all()
    with pytest.raises(ValueError, match="sampler script"):
        simulate("script", lambda *_: Script([[0, 0, 0, 0]]), objective, 5, 0)
    with pytest.raises(ValueError, match="1 to 2 .* 1000 to 2200"):
        TableObjective("accuracy", grid, (1, 2)).regret  # noqa: B018


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_same_seed_same_search(grid: BenchmarkTable, sampler: str):
    first, again = (simulate(sampler, make_optimizer, TableObjective("accuracy", grid), 15, 4) for _ in range(2))
    assert (first.observed == again.observed).all()


def test_intervals_are_students(table: BenchmarkTable):
    def trace(seed: int, regret: float) -> Trace:
        return Trace("s", "accuracy", seed, np.array([regret]), np.array([np.nan]), np.array([0.5]), 0)

    (one,) = results_of([trace(seed, regret) for seed, regret in enumerate((1.0, 2.0, 3.0))])
    assert one.mean.tolist() == [2.0]
    # t(0.975, 2) = 4.303; the standard error is 1 / sqrt(3).
    assert one.half[0] == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)
    assert one.seconds == 0.5


def test_the_report_of_a_benchmark(table: BenchmarkTable):
    """One sampler that recommends networks and one that does not, after two and four trials, two seeds."""

    def trace(sampler: str, seed: int, recommended: float) -> Trace:
        observed = np.array([31.0, 21.0, 11.0, 11.0 * seed])
        return Trace(sampler, "hard50", seed, observed, np.full(4, recommended), np.array([0.1, 0.1, 0.1, 0.3]), 0)

    traces = [trace("predictor", 0, 0.5), trace("predictor", 1, 1.5), trace("random", 0, np.nan)]
    text = report(results_of(traces), [2, 4], [TableObjective("hard50", table)])
    assert text + "\n" == (Path(__file__).parent / "report.txt").read_text()


def test_small_regrets_are_printed_to_three_digits(table: BenchmarkTable):
    (one,) = results_of([Trace("s", "accuracy", 0, np.array([0.00123456]), np.array([np.nan]), np.array([0.5]), 0)])
    assert " 0.00123 " in report([one], [1], [TableObjective("accuracy", table)])


def test_processes_find_what_one_process_finds(grid: BenchmarkTable):
    three = Benchmark(grid, make_optimizer, ("random",), ("accuracy",), 10, range(3))
    alone = sorted(run_searches(three), key=lambda trace: trace.seed)
    beside = sorted(run_searches(three, workers=2), key=lambda trace: trace.seed)
    assert all((a.observed == b.observed).all() for a, b in zip(alone, beside, strict=True))


def write_csv(folder: Path, grid: BenchmarkTable) -> str:
    rows = np.indices((4,) * 4).reshape(4, -1).T
    lines = ["l1,l2,l3,l4,first,second,macs"]
    lines += [
        ",".join(map(str, [*row, *pair, cost]))
        for row, pair, cost in zip(rows, grid.measured[:, :2], grid.macs if grid.macs is not None else (), strict=True)
    ]
    (folder / "grid.csv").write_text("\n".join(lines))
    return f"csv:{folder / 'grid.csv'}"


def test_the_command_prints_and_writes_results(
    tmp_path: Path, grid: BenchmarkTable, capsys: pytest.CaptureFixture[str]
):
    argv = ["--table", write_csv(tmp_path, grid), "--measured", "first", "second", "--macs", "macs", "--seeds", "2"]
    argv += [
        "--samplers",
        "random",
        "--trials",
        "12",
        "--scores",
        "accuracy",
        "hard25",
        "--at",
        "5",
        "--workers",
        "1",
    ]
    assert cli.run(benchmark.main, [*argv, "--run", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    # Networks, encodings, measurements of each.
    assert ["256", "256", "2"] in [values(line)[-4:-1] for line in printed.splitlines()]
    assert "\nlargest network " in printed
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [(row["score"], sorted(row["regret"])) for row in found["results"]] == [
        ("accuracy", ["12", "5"]),
        ("hard25", ["12", "5"]),
    ]
    assert (tmp_path / "run" / "regret.svg").read_text().startswith("<?xml")
    assert len((tmp_path / "run" / "curves.csv").read_text().splitlines()) == 1 + 2 * 12


def test_an_own_sampler_is_compared_in_other_processes(
    tmp_path: Path, grid: BenchmarkTable, outside: Path, capsys: pytest.CaptureFixture[str]
):
    argv = ["--table", write_csv(tmp_path, grid), "--measured", "first", "--macs", "macs", "--choices", "l1", "l2"]
    argv += ["l3", "l4", "--samplers", "outside_sampler:Mine", "--trials", "9", "--seeds", "2", "--scores", "accuracy"]
    assert cli.run(benchmark.main, [*argv, "--workers", "2", "--run", str(tmp_path / "run")]) == 0
    assert "outside_sampler:Mine" in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {row["sampler"] for row in found["results"]} == {"outside_sampler:Mine"}


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (["--samplers", "randon"], "'random'"),
        (["--trials", "0"], "--trials"),
        (["--samplers", "tpe", "--trials", "9"], "sampler tpe"),
        (["--scores", "speed"], "--scores"),
        (["--cost-band", "1", "2"], "1 to 2"),
        (["--cost-band", "2K", "1K"], "--cost-band"),
        (["--cost-band", "2K"], "got 2K"),
        (["--cost-band", "1000"], "got 1000"),
        (["--cost-band", "1", "2", "3"], "got 1 2 3"),
        (["--cost-band", "0.8", "1.05"], "got 0.8 1.05"),
        (["--samplers", "random", "tpe", "random"], "--samplers"),
        (["--scores", "hard25", "hard25"], "--scores"),
        (["--at", "5", "900"], "--at"),
        (["--at", "0"], "--at"),
        (["--macs", ""], "score hard25"),
        (["--minimize"], "score hard25"),
        (["--measured", "third"], "'third'"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, grid: BenchmarkTable, capsys: pytest.CaptureFixture[str], extra: list[str], named: str
):
    argv = ["--table", write_csv(tmp_path, grid), "--measured", "first", "--choices", "l1", "l2", "l3", "l4"]
    argv += ["--macs", "macs", "--samplers", "random", "--scores", "hard25", "--run", str(tmp_path / "run"), *extra]
    assert cli.run(benchmark.main, argv) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_table_is_needed(capsys: pytest.CaptureFixture[str]):
    assert cli.run(benchmark.main, []) == 2
    assert "--table" in capsys.readouterr().err
