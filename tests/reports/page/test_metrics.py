"""How the report shows a metric: from its row, also where a user's module is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.page.metrics import axis_label, is_metric, metric_column, on_axis


@pytest.mark.parametrize(
    ("name", "title", "unit", "value", "shown"),
    [
        ("macs", "FLOPs", "multiply-adds", 385_814_752, "385.8M"),
        ("params", "parameters", "", 5_288_548, "5.289M"),
        ("inference_memory", "inference memory", "", 64 << 20, "64MiB"),
        ("no_such_module:fives", "no_such_module:fives", "", 12.0, "12"),
    ],
)
def test_a_column_has_the_rows_label_unit_and_numbers(
    name: str, title: str, unit: str, value: float, shown: str
) -> None:
    column = metric_column(name)
    assert (column.key, column.title, column.unit, column.show(value)) == (name, title, unit, shown)
    assert column.show(None) == column.show(float("nan")) == ""


def test_a_column_may_stand_under_another_key_and_title() -> None:
    column = metric_column("params", key="their_params", title="theirs")
    assert (column.key, column.title, column.show(1000)) == ("their_params", "theirs", "1K")


def test_a_users_row_is_shown_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shown_metric.py").write_text(
        "from search_spaces.metrics.registry import Metric\n"
        "def fives(block):\n    return 1\n"
        "ROW = Metric(name='x', code='shown_metric:fives', label='5x5 layers', unit='layers')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert axis_label("shown_metric:ROW") == "5x5 layers (layers)"
    column = metric_column("shown_metric:ROW")
    assert (column.key, column.title, column.unit) == ("shown_metric:ROW", "5x5 layers", "layers")


def test_axes_name_unit_and_marks() -> None:
    assert axis_label("macs") == "FLOPs (multiply-adds)"
    assert axis_label("params") == "parameters"
    assert [on_axis("macs", value) for value in (0.5, 2_000_000, 2_515_000_000)] == ["0.5", "2M", "2.52G"]


def test_columns_of_tables_that_are_metrics() -> None:
    names = ["macs", "training_memory", "my_metrics:fives", "seed", "accuracy"]
    assert [name for name in names if is_metric(name)] == names[:3]
