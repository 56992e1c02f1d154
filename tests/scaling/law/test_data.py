"""Rows that no law can be fitted to and questions that none can answer: one line each."""

from __future__ import annotations

import pytest

from scaling.law.fit import fit_response

GOOD = {"depth": 1.0, "width": 1.0, "resolution": 1.0, "accuracy": 0.7}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**GOOD, "accuracy": 70.6}, "70.6"),
        ({**GOOD, "accuracy": 0.0}, "accuracy.* 0"),
        ({**GOOD, "accuracy": float("nan")}, "finite"),
        ({**GOOD, "width": -1.0}, "multiplier"),
        ({**GOOD, "resolution": 224.0}, "resolution.*224"),
        ({"depth": 1.0, "width": 1.0, "accuracy": 0.7}, "'resolution'"),
        ({**GOOD, "macs": 0.0}, "macs"),
        (GOOD, " 4 .* 1"),
    ],
)
def test_mistakes_in_rows(row: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_response([row])


def test_mistakes_in_questions() -> None:
    grown = ((1.0, 1.0, 0.7), (1.4, 1.0, 0.73), (1.0, 1.3, 0.72), (1.4, 1.3, 0.75))
    rows = [{"depth": 1.0, "width": w, "resolution": r, "accuracy": accuracy} for w, r, accuracy in grown]
    response = fit_response(rows)
    with pytest.raises(ValueError, match="above 0"):
        response.predict(width=0)
    with pytest.raises(ValueError, match="more than 1"):
        response.best(1)
    with pytest.raises(ValueError, match="'height'"):
        response.gain(2, over="height")
    with pytest.raises(ValueError, match="bounds"):
        response.best(2, bounds={"width": (2, 1)})
    with pytest.raises(ValueError, match="confidence"):
        fit_response(rows, confidence=95)
