"""Expected values: hand arithmetic on networks of a few weights, and numpy on known Jacobians."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import search_spaces as ss
from nas.zero_cost.job import score_network
from nas.zero_cost.registry import ZERO_COST_PROXIES
from search_spaces.networks.arch import Arch, Stage
from studies.trainer.recipe import Proxy
from studies.trainer.registry import get_recipe
from studies.workers.training_job import Training

DOCS = Path(__file__).resolve().parents[3] / "docs/search.md"
LABELS = torch.zeros(3, dtype=torch.int64)
TINY = Arch(
    resolution=8,
    classes=10,
    stem=4,
    stem_stride=1,
    head=8,
    activation="relu6",
    stages=(Stage("mbconv", kernel=3, stride=2, channels=4, layers=2, expansion=2, se=0.25, skip="identity"),),
)


def linear(weight: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.SiLU])
def test_synflow_by_hand(activation: Callable[[], nn.Module]) -> None:
    # R = 5 (1 + 2) + 6 (3 + 4) = 57; each layer's sum of w * dR/dw is R, since R is linear in each layer.
    network = nn.Sequential(linear([[1.0, -2.0], [3.0, 4.0]]), activation(), linear([[5.0, -6.0]]))
    before = [parameter.clone() for parameter in network.parameters()]
    assert ZERO_COST_PROXIES["synflow"].score(network, torch.randn(3, 2), LABELS) == pytest.approx(math.log(114))
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_synflow_of_a_cut_network_is_nothing() -> None:
    network = nn.Sequential(linear([[1.0, 2.0]]), linear([[0.0]]))
    assert ZERO_COST_PROXIES["synflow"].score(network, torch.ones(1, 2), LABELS) == -math.inf


def test_naswot_by_hand() -> None:
    # Codes 11, 10, 00: K = [[2, 1, 0], [1, 2, 1], [0, 1, 2]], whose determinant is 8 - 2 - 2 = 4.
    images = torch.tensor([[1.0, 9.0], [2.0, -1.0], [-1.0, -3.0]])
    assert ZERO_COST_PROXIES["naswot"].score(nn.ReLU6(inplace=True), images, LABELS) == pytest.approx(math.log(4))


def test_naswot_of_images_that_look_alike_is_minus_infinity() -> None:
    images = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    assert ZERO_COST_PROXIES["naswot"].score(nn.SiLU(), images, LABELS) == -math.inf


class HalfSquare(nn.Module):
    """Its gradient by an input is the input."""

    def forward(self, images: Tensor) -> Tensor:
        return (images**2 / 2).sum(1, keepdim=True)


def test_jacob_cov_of_two_images_by_hand() -> None:
    # A correlation r has the eigenvalues 1 + r and 1 - r.
    images = torch.tensor([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    r = np.corrcoef(images.numpy())[0, 1]
    assert r == pytest.approx(0.5)
    expected = -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in (1 + r, 1 - r))
    assert ZERO_COST_PROXIES["jacob_cov"].score(HalfSquare(), images, LABELS) == pytest.approx(expected)


def test_jacob_cov_of_a_linear_network_is_the_worst() -> None:
    # All Jacobians are the same: eigenvalues n, 0, 0.
    expected = -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in (3.0, 0.0, 0.0))
    found = ZERO_COST_PROXIES["jacob_cov"].score(linear([[1.0, -2.0, 5.0]]), torch.randn(3, 3), LABELS)
    assert found == pytest.approx(expected, rel=1e-4)


def test_grad_norm_by_hand() -> None:
    # Weights 0 give probabilities 1/2: dL/dW = (p - y) x^T, rows -x / 2 and x / 2, norm |x| / sqrt 2 = 5 / sqrt 2.
    found = ZERO_COST_PROXIES["grad_norm"].score(
        linear([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), LABELS[:1]
    )
    assert found == pytest.approx(5 / math.sqrt(2))


@pytest.mark.parametrize("activation", ["relu6", "silu"])
@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", [*ZERO_COST_PROXIES, "outside_score:score"])
def test_a_real_network_has_a_finite_value_and_stays_as_it_was(name: str, activation: str) -> None:
    torch.manual_seed(0)
    network = ss.build(TINY.replace(activation=activation))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    images, labels = torch.randn(8, 3, 8, 8), torch.arange(8)
    proxy = ZERO_COST_PROXIES.row(name)
    value = proxy.score(network, images, labels)
    assert math.isfinite(value)
    assert value == proxy.score(network, images, labels)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_docs_name_every_proxy_with_its_source() -> None:
    table = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    for name, proxy in ZERO_COST_PROXIES.items():
        (row,) = (line for line in table if line.startswith(f"| `{name}` |"))
        assert f"https://arxiv.org/abs/{proxy.source.rpartition('arXiv ')[2]})" in row


def test_a_job_scores_by_the_zero_cost_proxies_asked_for(outside: Path) -> None:
    (outside / "outside_text.py").write_text("def score(network, images, labels): return 'high'\n")
    training = Training("fashion-mnist-mini", get_recipe("quick"))
    job = {**training.payload(), "arch": TINY.replace(resolution=32).to_json(), "seed": 3, "id": 0}
    (rung,) = score_network(job, ["outside_score:score"])
    assert set(rung) == {"step", "outside_score:score", "outside_score:score_seconds"}
    assert rung["outside_score:score"] > 0
    with pytest.raises(ValueError, match="outside_text:score must return a number, got str"):
        list(score_network(job, ["outside_text:score"]))


def test_a_job_scores_the_proxy_of_its_network() -> None:
    proxy = Proxy(width=0.5, resolution=8, images=64, epochs=1)
    training = Training("fashion-mnist-mini", get_recipe("standard"), proxy=proxy)
    job = {**training.payload(), "arch": TINY.replace(resolution=32, stem=8).to_json(), "seed": 3, "id": 0}
    (first,), (again,) = list(score_network(job)), list(score_network(job))
    assert set(first) == {"step", *ZERO_COST_PROXIES, *(f"{name}_seconds" for name in ZERO_COST_PROXIES)}
    assert all(math.isfinite(first[name]) for name in ZERO_COST_PROXIES)
    assert [first[name] for name in ZERO_COST_PROXIES] == [again[name] for name in ZERO_COST_PROXIES]
