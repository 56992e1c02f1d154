"""The named recipes against what their papers state."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch

from search_spaces import cost, get
from studies.trainer.optimizers import learning_rate
from studies.trainer.progressive import training_stages
from studies.trainer.registry import RECIPES, RecipeInfo, get_recipe, grown_dropout, published_dropout

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "recipes.md"

# EfficientNet's published dropout (arXiv 1905.11946 and its released code).
DROPOUT = (0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5)


@pytest.mark.parametrize(
    ("wrong", "near"), [("standart", "standard"), ("efficentnet", "efficientnet"), ("one_cycle", "one-cycle")]
)
def test_a_misspelt_recipe_is_answered_with_the_near_name(wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"{wrong}.*'{near}'") as caught:
        get_recipe(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("efficientnet", "1905.11946"),
        ("efficientnetv2_s", "2104.00298"),
        ("efficientnetv2_m", "2104.00298"),
        ("efficientnetv2_l", "2104.00298"),
    ],
)
def test_the_papers_recipes_have_the_papers_numbers(name: str, source: str) -> None:
    """EN, section 5, and ENv2, section 5.1, share optimizer and schedule."""
    assert source in RECIPES[name].source
    paper = get_recipe(name)
    assert (paper.optimizer, paper.momentum, paper.weight_decay) == ("rmsprop", 0.9, 1e-5)
    assert (paper.stochastic_depth, paper.label_smoothing, paper.ema_decay) == pytest.approx((1 - 0.8, 0.1, 0.9999))
    # Keras's momentum of 0.99 is the share of the old value, torch's of the new one.
    assert paper.norm_momentum == pytest.approx(1 - 0.99)
    assert paper.epochs == 350
    assert paper.lr / paper.batch_size == pytest.approx(0.256 / 4096)
    assert paper.patience > 0


def test_efficientnets_learning_rate() -> None:
    """Warm-up over 5 epochs, then x0.97 every 2.4, in steps from the beginning: 350 epochs of 10 steps."""
    paper = get_recipe("efficientnet")
    rates = [learning_rate(paper, step, 3500) for step in range(3500)]
    assert rates[:50] == pytest.approx([paper.lr * (step + 1) / 51 for step in range(50)])
    # Steps 24, 48, 72, ... begin a new factor; the warm-up ends after the second.
    assert rates[50] == rates[71] == pytest.approx(paper.lr * 0.97**2)
    assert rates[72] == rates[95] == pytest.approx(paper.lr * 0.97**3)
    assert rates[120] == pytest.approx(paper.lr * 0.97**5)
    assert rates[-1] == pytest.approx(paper.lr * 0.97 ** math.floor(349.9 / 2.4))
    assert max(rates) == pytest.approx(paper.lr * 50 / 51)


def test_a_short_run_decays_as_far_as_a_long_one() -> None:
    paper = get_recipe("efficientnet")
    ends = [learning_rate(paper.lasting(epochs), 10 * epochs - 1, 10 * epochs) for epochs in (35, 350)]
    assert ends[0] == pytest.approx(ends[1], rel=0.04)


def test_exponential_is_torchs_step_lr() -> None:
    recipe = get_recipe("efficientnet").replace(warmup=0.0, lr=0.5, decay=0.9, decay_epochs=3, epochs=12)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3 * 7, gamma=0.9)
    for step in range(12 * 7):
        assert learning_rate(recipe, step, 12 * 7) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize(("index", "dropout"), tuple(enumerate(DROPOUT)))
def test_dropout_grows_to_the_published_values(index: int, dropout: float) -> None:
    """Linear in phi, the doublings of B0's multiply-adds; the published table has one digit."""
    phi = math.log2(cost(get(f"efficientnet_b{index}")).macs / cost(get("efficientnet_b0")).macs)
    assert round(grown_dropout(phi), 1) == dropout


@pytest.mark.parametrize(("index", "dropout"), tuple(enumerate(DROPOUT)))
def test_published_networks_are_known_whatever_their_images_and_classes(index: int, dropout: float) -> None:
    arch = get(f"efficientnet_b{index}").replace(resolution=64, classes=10, name="")
    assert published_dropout(arch) == (f"efficientnet_b{index}", dropout)
    assert published_dropout(arch.replace(head=1272)) is None
    assert published_dropout(get("resnet18")) is None


@pytest.mark.parametrize(("name", "info"), RECIPES.items())
def test_a_row_is_complete(name: str, info: RecipeInfo) -> None:
    assert get_recipe(name) == info.recipe
    assert info.source.startswith("ours") or re.search(r"arXiv \d{4}\.\d{5}", info.source)


def test_an_own_recipe_is_a_recipe_or_a_function_that_returns_one(outside: Path) -> None:
    mine = get_recipe("quick").replace(lr=0.05, label_smoothing=0.0)
    (outside / "outside_more.py").write_text(
        "from outside_recipe import mine\n"
        "from studies.trainer.registry import RecipeInfo\n"
        "def made(): return mine.lasting(7)\n"
        "def fails(): raise KeyError('x')\n"
        "def nothing(): return None\n"
        "ROW = RecipeInfo(name='x', code='outside_more:made', label='seven epochs', source='ours')\n"
    )
    assert get_recipe("outside_recipe:mine") == mine
    assert get_recipe("outside_more:made") == get_recipe("outside_more:ROW") == mine.replace(epochs=7)
    assert RECIPES.row("outside_more:ROW").label == "seven epochs"
    for name, named in (("fails", "KeyError"), ("nothing", "NoneType"), ("RecipeInfo", "failed"), ("not_there", "no ")):
        with pytest.raises(ValueError, match=f"recipe outside_more:{name}.*{named}"):
            get_recipe(f"outside_more:{name}")


def test_the_table_of_the_documentation_names_every_recipe_once() -> None:
    table = "\n".join(re.findall(r"^\| `.*\|.*\|$", DOCUMENTATION.read_text(), re.MULTILINE))
    assert sorted(re.findall(r"`([\w-]+)`", table)) == sorted(RECIPES)


def test_dropout_stays_within_its_bounds() -> None:
    assert grown_dropout(-3) == grown_dropout(0) == 0.2
    assert grown_dropout(20) == 0.5
    assert grown_dropout(3.3) == pytest.approx(0.35)
    assert grown_dropout(5, start=0.6) == 0.6


# ENv2, Table 6: image size, RandAugment magnitude, mixup alpha, dropout, least and greatest; and the size evaluated at.
TABLE_6 = {
    "efficientnetv2_s": (384, (128, 300), (5, 15), (0, 0), (0.1, 0.3)),
    "efficientnetv2_m": (480, (128, 380), (5, 20), (0, 0.2), (0.1, 0.4)),
    "efficientnetv2_l": (480, (128, 380), (5, 25), (0, 0.5), (0.1, 0.5)),
}


@pytest.mark.parametrize("name", TABLE_6)
def test_the_schedules_are_those_of_table_6(name: str) -> None:
    evaluated, *ranges = TABLE_6[name]
    assert get(name).resolution == evaluated
    stages = training_stages(get_recipe(name), evaluated, get(name).total_stride)
    assert len(stages) == 4
    for stage, ends in ((stages[0], 0), (stages[-1], 1)):
        found = (stage.resolution, stage.magnitude, stage.mixup, stage.dropout)
        assert found == pytest.approx(tuple(pair[ends] for pair in ranges))


def test_one_cycle_and_the_proxies_recipes_have_one_stage() -> None:
    assert get_recipe("one-cycle").schedule == "one-cycle"
    assert "1708.07120" in RECIPES["one-cycle"].source
    for name in ("quick", "standard", "one-cycle", "efficientnet"):
        assert get_recipe(name).stages == 1
        assert training_stages(get_recipe(name), 28)[0].resolution == 28
