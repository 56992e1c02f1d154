"""Fitting the scaling law: forms fitted, judged on networks held out of the fit, and mixed accordingly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from scaling.law.data import MIN_NETWORKS, MeasuredNetworks, measure
from scaling.law.forms import FORMS, SMALLEST_ERROR, TAIL, Data, Floats, Form, Posterior, fit_form
from scaling.law.response import MAX_NOISY, Best, Gain, Part, Prediction, Response
from studies.statistics.intervals import CONFIDENCE

__all__ = ["Best", "Gain", "Prediction", "Response", "best_or_none", "fit_measured", "fit_or_none", "fit_response"]
DRAWS = 2000
FORWARD = (0.5, 0.65, 0.8)
"""Shares of the networks, smallest first, from which the larger ones are predicted to judge a form."""


def fit_response(rows: Iterable[Mapping[str, Any]], *, confidence: float = CONFIDENCE, seed: int = 0) -> Response:
    """Fit accuracy as a function of depth, width and resolution multipliers.

    Args:
        rows: mappings with depth, width, resolution (multipliers of the baseline's), accuracy (0 to 1), and possibly
            macs and seed. Rows of equal multipliers are replicates of one network
        confidence: of all intervals
        seed: of the draws behind the intervals; equal seeds give equal answers

    Raises ValueError for values out of range and fewer than four different networks.

    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a share between 0 and 1, got {confidence}")
    networks = measure(rows)
    return fit_measured(networks, confidence=confidence, seed=seed)


def fit_or_none(rows: Iterable[Mapping[str, Any]]) -> Response | None:
    """`fit_response`, or None for rows that no law can be fitted to: too few networks, an accuracy of 0."""
    try:
        return fit_response(rows)
    except ValueError:
        return None


def best_or_none(law: Response, multiple: float, max_resolution: float) -> Best | None:
    """`Response.best`, or None where no multipliers within the limit cost so much: resolution alone, say."""
    try:
        return law.best(multiple, max_resolution=max(1.0, max_resolution))
    except ValueError:
        return None


def fit_measured(
    networks: MeasuredNetworks,
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    forms: tuple[Form, ...] = FORMS,
    tail: float = TAIL,
) -> Response:
    """`fit_response` for rows already read, with a choice of forms and of the residuals' distribution."""
    data = networks.data()
    fits = [fit_form(form, data, tail=tail) for form in forms]
    splits = _splits(networks)
    ahead = [[_ahead(form, data, now, tail) for now in splits] for form in forms]
    rmse = np.array([_heldout(fit, data, misses) for fit, misses in zip(fits, ahead, strict=True)])
    weights = softmax([math.log(form.prior) + fit.evidence for form, fit in zip(forms, fits, strict=True)])
    mixed = np.average([np.concatenate(misses) for misses in ahead], axis=0, weights=weights)
    names = [form.name for form in forms]
    return Response(
        networks=networks,
        confidence=confidence,
        form=names[int(rmse.argmin())],
        forms=dict(zip(names, rmse.tolist(), strict=True)),
        weights=dict(zip(names, weights.tolist(), strict=True)),
        heldout_error=float(np.abs(mixed).mean()),
        loglinear_error=float(np.abs(np.concatenate([_line(networks, now) for now in splits])).mean()),
        parts=_draw(fits, weights, seed),
    )


def _splits(networks: MeasuredNetworks) -> list[NDArray[np.bool_]]:
    """Masks of the cheaper networks: the shares FORWARD that vary in all dimensions, or all but the last network."""
    places = np.argsort(np.argsort(networks.macs, kind="stable"))
    n = len(places)
    sizes = sorted({min(max(MIN_NETWORKS, round(share * n)), n - 1) for share in FORWARD})
    splits = [places < size for size in sizes]
    fair = [now for now in splits if (np.ptp(networks.x[now][:, networks.columns], axis=0) > 0).all()]
    return fair or [places < n - 1]


def _ahead(form: Form, data: Data, now: NDArray[np.bool_], tail: float) -> Floats:
    """Accuracy predicted from the networks `now` for the others, minus the true one."""
    later = data.take(~now)
    return later.error - fit_form(form, data.take(now), tail=tail).expected(later.x)


def _line(networks: MeasuredNetworks, now: NDArray[np.bool_]) -> Floats:
    """The same of a straight line of accuracy in log multiply-adds."""
    x, y = np.log(networks.macs), networks.accuracy
    slope = float(np.cov(x[now], y[now])[0, 1] / np.var(x[now], ddof=1)) if np.ptp(x[now]) > 0 else 0.0
    return np.asarray(y[now].mean() + slope * (x[~now] - x[now].mean()) - y[~now])


def _heldout(fit: Posterior, data: Data, ahead: list[Floats]) -> float:
    """Root mean square of held-out errors: each network from all others, and the larger ones from the smaller ones."""
    forward = np.mean([np.mean(misses**2) for misses in ahead])
    one_out = np.mean((fit.leave_one_out - data.error) ** 2)
    return math.sqrt((forward + one_out) / 2) + SMALLEST_ERROR


def _draw(fits: list[Posterior], weights: Floats, seed: int) -> tuple[Part, ...]:
    rng = np.random.default_rng(seed)
    ends = np.round(np.cumsum(weights) * DRAWS).astype(int)
    parts = []
    for fit, n in zip(fits, np.diff(ends, prepend=0).tolist(), strict=True):
        draws = fit.draw(n, rng)
        residual, shared, unknown = (rng.standard_normal((n, k)) for k in (MAX_NOISY, MAX_NOISY, 3))
        parts.append(Part(fit, draws, residual, shared, unknown))
    return tuple(parts)
