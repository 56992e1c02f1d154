"""Sentences on finalists say what the counts say."""

from __future__ import annotations

from nas.search.wording import NOT_DIFFERENT, describe_edge, describe_finalists


def test_every_outcome_of_the_comparison_has_its_own_sentence() -> None:
    cases = [(0, 0), (3, None), (1, 0), (3, 0), (1, 1), (3, 1), (3, 2)]
    texts = [describe_finalists(others, equals) for others, equals in cases]
    assert len(set(texts)) == len(texts)
    assert [NOT_DIFFERENT in text for text in texts] == [False] * 4 + [True] * 3
    assert all("3" in describe_finalists(3, equals) for equals in (0, 1, 2))


def test_the_edge_names_its_end_and_the_flag() -> None:
    assert "upper" in describe_edge("upper")
    assert "--cost-band" in describe_edge("lower")
