"""What a proxy study compares: its settings, its sample of networks, its grid of proxies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import search_spaces as ss
from nas.proxy import __main__ as proxy
from nas.proxy.config import ProxyConfig
from nas.proxy.files import search_yaml
from nas.proxy.grid import name_of, work
from nas.proxy.sample import spread
from nas.region import SearchRegion
from nas.search.config import SearchConfig
from search_spaces.common import cli
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch, Stage
from studies.data.config import DataConfig
from studies.trainer.recipe import Proxy


def test_mistakes_are_one_line_and_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "--networks 7": "--networks",
        "--cost-band 3.9 4": "--cost-band",
        "--dataset cifra10": "unknown dataset 'cifra10': did you mean 'cifar10'?",
        "--space smal": "unknown space 'smal': did you mean 'small'?",
        "--recipe qick": "unknown recipe 'qick': did you mean 'quick'?",
        "--against-recipe qick": "unknown recipe 'qick'",
        "--widths 0.25 0.25": "--widths",
        "--widths 0": "--widths",
        "--images -1": "--images",
        "--epochs 0": "--epochs",
        "--recipe efficientnetv2_s --epochs 4 2": "--epochs",
        "--recipe efficientnetv2_m --epochs 4 --resolutions 28": "--resolutions 28",
        "--against-recipe efficientnetv2_m --against.epochs 4": "--against.resolution 28",
        "--against.width 0": "--against.width",
        "--against-recipe efficientnetv2_s --against.epochs 3": "--against.epochs",
        "--epochs": "--epochs",
        "--resolutions 2": "--resolutions",
        "--against-seeds 0": "--against-seeds",
        "--time-budget soon": "'soon'",
        "--target-flops 5G": "--target-flops",
    }
    for words, named in cases.items():
        assert cli.run(proxy.main, [*words.split(), "--run", str(tmp_path / "run")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert named in line
    assert not (tmp_path / "run").exists()


def test_proxies_that_last_as_long_as_their_recipe_needs_are_taken() -> None:
    assert ProxyConfig(recipe="efficientnetv2_s", epochs=(4, 8)).recipe == "efficientnetv2_s"


def network(choice: Any) -> Arch:
    stage = Stage("conv", kernel=3, stride=1, channels=8, layers=1)
    return Arch(resolution=8, classes=10, stem=8, stem_stride=1, head=choice["head"], stages=(stage,))


def region(space: ss.Space, band: tuple[int, int]) -> SearchRegion:
    inside = space.count(macs=band, of="networks")
    return SearchRegion(space, METRICS["macs"], band, {}, inside, (1.0, 1.0))


def test_a_band_with_too_few_networks_is_refused() -> None:
    space = ss.Space("few", {"head": (8, 16, 24, 32)}, network)
    low, high, _ = space.reach("macs")
    assert {arch.head for arch in spread(region(space, (low, high)), 4, 0)} == {8, 16, 24, 32}
    with pytest.raises(ValueError, match="--networks 4"):
        spread(region(space, (low, high - 1)), 4, 0)


def test_the_sample_is_spread_over_the_band_and_grows_from_its_beginning() -> None:
    space, band = ss.space("mnasnet", classes=10), (320_000_000, 420_000_000)
    archs = spread(region(space, band), 24, 5)
    macs = np.array([ss.cost(arch).macs for arch in archs])
    assert len({arch.key for arch in archs}) == 24
    # Eight slices of 12.5M, three networks in each.
    assert np.histogram(macs, bins=8, range=band)[0].tolist() == [3] * 8
    assert [arch.key for arch in spread(region(space, band), 9, 5)] == [arch.key for arch in archs[:9]]
    assert [arch.key for arch in spread(region(space, band), 9, 6)] != [arch.key for arch in archs[:9]]


def test_the_grid_is_every_combination() -> None:
    config = ProxyConfig(widths=(0.25, 0.5), resolutions=(14, 28), images=(0,), epochs=(1, 3))
    assert [name_of(one) for one in config.proxies] == [
        *("x0.25 14px 1xall", "x0.25 14px 3xall", "x0.25 28px 1xall", "x0.25 28px 3xall"),
        *("x0.5 14px 1xall", "x0.5 14px 3xall", "x0.5 28px 1xall", "x0.5 28px 3xall"),
    ]


def test_work_counts_images_once_for_each_epoch() -> None:
    arch = ss.space("small", resolution=28, classes=10)
    (one,) = spread(region(arch, arch.reach("macs")[:2]), 1, 0)
    small = Proxy(width=0.5, resolution=28, images=100, epochs=1)
    macs = ss.cost(small.arch(one)).macs
    assert work(small, [one], 1000) == 100 * macs
    assert work(small.replace(epochs=3, images=0), [one], 1000) == 3000 * macs
    assert work(small.replace(images=5000), [one], 1000) == 1000 * macs


def test_what_is_written_is_a_search_of_the_same_things_with_the_proxy(tmp_path: Path) -> None:
    config = ProxyConfig(
        target_flops="60M", space="small", resolution=32, data=DataConfig("cifar10"), cost_band=(0.7, 1.1)
    )
    chosen = Proxy(width=0.5, resolution=20, images=0, epochs=3, divisor=2)
    file = tmp_path / "proxy.yaml"
    file.write_text(search_yaml(config, chosen))
    words = ["--config", str(file), "--trials", "50"]
    search = cli.parse(SearchConfig, words, prog="search", description="")
    assert search == SearchConfig(
        target_flops="60M",
        space="small",
        resolution=32,
        data=DataConfig("cifar10"),
        cost_band=(0.7, 1.1),
        proxy=chosen,
        trials=50,
    )
