"""The output transform of accuracies: one failed training must not stretch the scale of the good ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas.samplers.predictor.features import Floats


@dataclass(frozen=True)
class OutputTransform:
    """Standardises by the median and the upper spread of observed values; logarithmic below the median."""

    middle: float
    scale: float

    @classmethod
    def of(cls, values: Floats) -> OutputTransform:
        """The transform for observed values [n], n at least 1."""
        middle, high = np.quantile(values, [0.5, 0.9])
        spread = high - middle if high > middle else values.std()
        return cls(float(middle), float(spread) or 1.0)

    def __call__(self, values: Floats) -> Floats:
        scaled = (values - self.middle) / self.scale
        return np.where(scaled < 0, -np.log1p(np.maximum(-scaled, 0)), scaled)

    def inverse(self, transformed: Floats) -> Floats:
        """The values of transformed ones."""
        # Far below the median exp overflows, where nothing depends on how bad a network is.
        low = -np.expm1(np.clip(-transformed, 0, 50))
        return self.middle + self.scale * np.where(transformed < 0, low, transformed)
