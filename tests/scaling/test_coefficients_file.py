"""A coefficients file written by hand is read; anything else is one line that names the file and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import search_spaces as ss
from scaling.coefficients_file import FORMAT, Found, read
from search_spaces.resizing.compound import PAPER, Coefficients
from search_spaces.resizing.rounding import Rounding


def content(**changes: Any) -> dict[str, Any]:
    return {
        "format": "triaxis-coefficients-1",
        "coefficients": {"alpha": 1.2, "beta": 1.1, "gamma": 1.15},
        "baseline": json.loads(ss.get("mobilenet_v2").to_json()),
        "rounding": {"divisor": 4, "step": 1},
        "seeds": [0, 1],
        **changes,
    }


def write(folder: Path, values: Any) -> Path:
    path = folder / "coefficients.json"
    path.write_text(json.dumps(values))
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    found = read(write(tmp_path, content()))
    assert found == Found(PAPER, ss.get("mobilenet_v2"), Rounding(4, 1), {"seeds": [0, 1]})


def test_the_least_share_of_channels_is_read(tmp_path: Path) -> None:
    found = read(write(tmp_path, content(rounding={"divisor": 4, "step": 1, "min_ratio": 0})))
    assert found.rounding == Rounding(4, 1, 0.0)
    # EN's, where a file written by hand does not say.
    assert read(write(tmp_path, content())).rounding.min_ratio == 0.9


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    found = Found(Coefficients(1.25, 1, 1.3), ss.get("mnasnet_a1"), Rounding(2, 1, 0.5), {"study": {"networks": 20}})
    path = tmp_path / "c.json"
    path.write_text(found.to_json())
    assert read(path) == found
    assert json.loads(path.read_text())["format"] == FORMAT


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "triaxis-arch-1"}, "triaxis-coefficients-1"),
        ({"coefficients": None}, '"coefficients".* None$'),
        ({"coefficients": {"alpha": 1.2, "beta": 1.1}}, '"coefficients".* gamma, .* None$'),
        ({"coefficients": {"alpha": "1.2", "beta": 1.1, "gamma": 1}}, "alpha.* '1.2'$"),
        ({"coefficients": {"alpha": True, "beta": 1.1, "gamma": 1}}, "alpha.* True$"),
        ({"coefficients": {"alpha": 0.9, "beta": 1.1, "gamma": 1}}, "alpha.* at least 1"),
        ({"baseline": None}, "arch"),
        ({"baseline": {"format": "triaxis-arch-1"}}, "'stages'"),
        ({"rounding": None}, '"rounding".* None$'),
        ({"rounding": {"divisor": 8.5, "step": 2}}, '"rounding".* divisor.* 8.5$'),
        ({"rounding": {"divisor": 8, "step": 2, "min_ratio": "0"}}, "min_ratio.* '0'$"),
        ({"rounding": {"divisor": 8, "step": 2, "min_ratio": 2}}, "rounding.min-ratio"),
        ({"rounding": {"divisor": 0, "step": 2}}, "rounding.divisor .* 0$"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path, content(**changes))
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "alpha: 1.2", "[1, 2", "\ud800"])
def test_what_is_no_json_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match="c.json: .*JSON"):
        read(path)


def test_a_list_is_no_coefficients_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON object"):
        read(write(tmp_path, [1.2, 1.1, 1.15]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none.json"):
        read(tmp_path / "none.json")
