"""What a search gained over its controls, as values and as sentences: command and report show the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nas.search.wording import NOT_DIFFERENT
from search_spaces.common.text import pluralise
from studies.statistics.intervals import Estimate

MEASURES = ("reward", "accuracy")
METHOD = (
    "Intervals hold for all comparisons at once, those of the other {others} included, so they are corrected for the "
    "choice of the {winner} (max-t, seeds are blocks)."
)


@dataclass(frozen=True)
class Gain:
    """The gain of the winner over a control, or over the mean of the controls that were drawn.

    over      name of the control
    reward    difference of mean rewards, with its simultaneous interval
    accuracy  difference of mean accuracies (a share: 0.01 is a point), with its simultaneous interval
    """

    over: str
    reward: Estimate
    accuracy: Estimate

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"over": self.over, "reward": self.reward.to_dict(), "accuracy": self.accuracy.to_dict()}

    @classmethod
    def of_dict(cls, values: object) -> Gain:
        """The gain that `to_dict` wrote. Raises ValueError for anything else."""
        if not isinstance(values, Mapping):
            raise ValueError(f"a gain must be an object, got {values!r:.40}")
        reward, accuracy = (Estimate.of_dict(values.get(measure)) for measure in MEASURES)
        return cls(str(values.get("over")), reward, accuracy)


@dataclass(frozen=True)
class SearchConclusions:
    """What a search gained.

    known    gains over each known control that was trained with all seeds
    random   gain over the mean of the controls that were drawn; None if there are none
    drawn    number of these
    adopted  name of the control that is the result in place of the winner; empty if it is the winner
    only     whether nothing was searched, so that the winner is the best known control itself
    """

    known: tuple[Gain, ...] = ()
    random: Gain | None = None
    drawn: int = 0
    adopted: str = ""
    only: bool = False

    @property
    def best_control(self) -> Gain | None:
        """The gain over the control with the highest mean reward; None without known controls."""
        return self._least("reward")

    @property
    def is_control_ahead(self) -> bool:
        """Whether a known control has a higher mean reward than the winner."""
        best = self.best_control
        return best is not None and best.reward.value < 0

    def sentences(self) -> list[str]:
        """The verdict: over the best control, over the drawn ones, what intervals are. Empty without controls."""
        found = [text for text in (self._over_best(), self._over_random()) if text]
        others, winner = ("known networks", "best") if self.only else ("finalists", "winner")
        return [*found, METHOD.format(others=others, winner=winner)] if found else []

    def to_dict(self) -> dict[str, Any]:
        """JSON values, the sentences among them."""
        best = self.best_control
        return {
            "sentences": self.sentences(),
            "best_control": best and best.to_dict(),
            "random": self.random and self.random.to_dict(),
            "drawn": self.drawn,
            "control_is_ahead": self.is_control_ahead,
            "adopted": self.adopted or None,
            "only_controls": self.only,
            "gains": [gain.to_dict() for gain in self.known],
        }

    @classmethod
    def of_dict(cls, values: object) -> SearchConclusions:
        """The conclusions that `to_dict` wrote. Raises ValueError for anything else."""
        if not isinstance(values, Mapping):
            raise ValueError(f"a verdict must be an object, got {values!r:.40}")
        gains, random = values.get("gains"), values.get("random")
        drawn = values.get("drawn")
        return cls(
            known=tuple(Gain.of_dict(gain) for gain in gains) if isinstance(gains, Sequence) else (),
            random=Gain.of_dict(random) if random else None,
            drawn=drawn if isinstance(drawn, int) else 0,
            adopted=str(values.get("adopted") or ""),
            only=values.get("only_controls") is True,
        )

    def _least(self, measure: str) -> Gain | None:
        return min(self.known, key=lambda gain: float(getattr(gain, measure).value), default=None)

    def _over_best(self) -> str:
        best, second = self.best_control, self._least("accuracy")
        if best is None or second is None:
            return ""
        accuracy = f" In accuracy: {describe_gain(second.accuracy)} over {second.over}."
        return f"{self._reward_over(best)}{accuracy}"

    def _reward_over(self, best: Gain) -> str:
        size = f"{abs(100 * best.reward.value):.1f} points"
        if best.reward.low > 0:
            return f"The search gained {size} of reward over its best control, {best.over} ({_ends(best.reward)})."
        if best.reward.value >= 0 and not math.isfinite(best.reward.low):
            return f"The winner is {size} of reward above its best control, {best.over} ({_ends(best.reward)})."
        if best.reward.value >= 0:
            return (
                f"The winner is {NOT_DIFFERENT} from its best control, {best.over}: {_signed(best.reward)} points of "
                f"reward ({_ends(best.reward)})."
            )
        text = (
            f"A CONTROL IS AHEAD of what the search found: {best.over} has {size} more reward than the winner "
            f"({_ends(best.reward, reverse=True)}){_significance(best.reward)}."
        )
        return f"{text} {'It was adopted.' if self.adopted else '--adopt-control makes it the result.'}"

    def _over_random(self) -> str:
        if self.random is None:
            return ""
        accuracy = f" In accuracy: {describe_gain(self.random.accuracy)}."
        return f"{self._reward_over_random(self.random.reward)}{accuracy}"

    def _reward_over_random(self, gain: Estimate) -> str:
        mean = "" if self.drawn == 1 else "the mean of "
        others = f"{mean}{pluralise(self.drawn, 'network')} drawn uniformly"
        who = "The best known network" if self.only else "The winner"
        if gain.low > 0:
            return f"{who} is {100 * gain.value:.1f} points of reward above {others} ({_ends(gain)})."
        if gain.high < 0 or not math.isfinite(gain.low):
            side = "BELOW" if gain.value < 0 else "above"
            size = f"{abs(100 * gain.value):.1f} points"
            return f"{who} is {size} of reward {side} {others} ({_ends(gain, reverse=True)}){_significance(gain)}."
        return f"{who} is {NOT_DIFFERENT} from {others}: {_signed(gain)} points of reward ({_ends(gain)})."


def describe_gain(gain: Estimate) -> str:
    """A gain with its interval, such as "+2.3 points (95 % CI +0.4 to +4.2)"."""
    different = f", {NOT_DIFFERENT}" if gain.low <= 0 <= gain.high and math.isfinite(gain.low) else ""
    return f"{_signed(gain)} points ({_ends(gain)}{different})"


def _significance(gain: Estimate) -> str:
    """Whether a loss is significant, to end a sentence with; empty if that is unknown."""
    if not math.isfinite(gain.low):
        return ""
    return ", a significant difference" if gain.high < 0 else f", which is {NOT_DIFFERENT}"


def _signed(gain: Estimate) -> str:
    return f"{100 * gain.value:+.1f}"


def _ends(gain: Estimate, *, reverse: bool = False) -> str:
    """The interval in points; with `reverse` that of the negative."""
    if not math.isfinite(gain.low):
        return "one seed cannot tell whether by chance"
    ends = (-gain.high, -gain.low) if reverse else (gain.low, gain.high)
    low, high = (f"{100 * end:+.1f}" for end in ends)
    return f"95 % CI {low} to {high}"
