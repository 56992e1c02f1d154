"""What the figures of the family and the world draw."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.family import figures
from reports.family.data import MeasuredNetwork
from reports.reading.published import networks
from studies.statistics.intervals import Estimate


def panels(rows: int, columns: int) -> list[Axes]:
    return list(np.ravel(Figure(layout="constrained").subplots(rows, columns, squeeze=False)))


def point(name: str, accuracy: float, dataset: str = "tiny", *, upsampled: bool = False) -> MeasuredNetwork:
    mean = Estimate(accuracy, accuracy - 0.01, accuracy + 0.01, 3)
    return MeasuredNetwork("run", dataset, name, {"params": 1e5, "macs": 2e6}, mean, upsampled)


def test_every_published_network_is_drawn_and_named() -> None:
    (ax,) = panels(1, 1)
    figures.published(networks(), "macs", [], ax)
    drawn = {(x, round(y, 1)) for line in ax.lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert drawn == {(one.macs, round(100 * one.accuracy, 1)) for one in networks()}
    names = [text.get_text() for text in ax.texts]
    assert {"B0", "B7", "V2-L", "MobileNetV2 1.0", "ResNet-50"} <= set(names)
    assert "ImageNet" in ax.get_ylabel()


def test_our_costs_stand_at_the_foot_without_an_accuracy() -> None:
    (ax,) = panels(1, 1)
    figures.published(networks(), "params", [1e6, 2e6, 4e6], ax)
    foot = next(line for line in ax.lines if line.get_label() == "_foot")
    assert list(foot.get_xdata()) == [1e6, 2e6, 4e6]
    assert foot.get_transform() == ax.get_xaxis_transform()
    assert {"φ = 0", "φ = 2"} <= {text.get_text() for text in ax.texts}
    assert ax.get_xlim()[0] < 1e6


def test_data_sets_are_never_on_one_axis() -> None:
    axes = panels(3, 2)
    ours = {"a$b": [point("depth", 0.9)], "other": [point("width", 0.5, "other")]}
    figures.world(figures.Comparison(networks(), {}, ours), axes)
    assert (
        axes[2].get_title(loc="left") + axes[2].get_title()
        == "Measured here, on a\\$b:\nnot comparable with ImageNet's"
    )
    for ax, accuracy in ((axes[2], 90), (axes[3], 90), (axes[4], 50)):
        assert [one[0].get_ydata()[0] for one in ax.containers] == [pytest.approx(accuracy)]
    assert not any("test images" in ax.get_ylabel() for ax in axes[:2])


def test_upsampled_networks_are_hollow_here_too() -> None:
    (ax,) = panels(1, 1)
    figures.ours([point("resolution", 0.6), point("resolution", 0.7, upsampled=True)], "macs", ax, legend=True)
    faces = [(round(one[0].get_ydata()[0]), one[0].get_markerfacecolor() == "none") for one in ax.containers]
    assert faces == [(60, False), (70, True)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["resolution"]
