"""The conclusions of a search as sentences: the command prints them and the report shows them."""

from __future__ import annotations

NOT_DIFFERENT = "not significantly different"
BASIS = "(multiple comparisons with the best, 95 %)"


def describe_finalists(others: int, equals: int | None) -> str:
    """The winner against the other finalists.

    Args:
        others: number of the other finalists
        equals: how many of them are not significantly different from the winner; None for one seed per finalist

    """
    if not others:
        return "The winner was the only finalist: there is nothing to compare it with."
    if equals is None:
        return "With one seed per finalist, differences between finalists cannot be judged."
    if not equals:
        losers = "the other finalist" if others == 1 else f"all {others} other finalists"
        return f"The winner is significantly better than {losers} {BASIS}."
    if others == 1:
        return f"The other finalist is {NOT_DIFFERENT} from the winner {BASIS}."
    verb = "is" if equals == 1 else "are"
    return f"{equals} of the {others} other finalists {verb} {NOT_DIFFERENT} from the winner {BASIS}."


def describe_known(others: int, equals: int | None) -> str:
    """The best known network against the others, of a run with --only-controls; arguments as `describe_finalists`."""
    if not others:
        return "It was the only known network: there is nothing to compare it with."
    if equals is None:
        return "With one seed per network, differences between networks cannot be judged."
    if not equals:
        return f"It is significantly better than {_all(others)} {BASIS}."
    return (
        f"{equals} of {others} other known networks {'is' if equals == 1 else 'are'} {NOT_DIFFERENT} from it {BASIS}."
    )


def _all(others: int) -> str:
    return "the other known network" if others == 1 else f"all {others} other known networks"


def describe_edge(edge: str) -> str:
    """A warning for a winner at the "upper" or "lower" edge of the cost band."""
    return (
        f"the winner lies at the {edge} edge of the cost band: the band chose its size, not the reward; --cost-band "
        "moves the band"
    )
