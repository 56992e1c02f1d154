"""Everything of a proxy study that can be wrong before compute is spent, and the plan that `--dry-run` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas.proxy.config import ProxyConfig
from nas.proxy.grid import different, name_of, work
from search_spaces.common.text import align_facts, pluralise
from search_spaces.metrics.limits import describe_limits

if TYPE_CHECKING:
    from search_spaces.networks.arch import Arch
    from studies.workers.resources import Resources


def prepare(config: ProxyConfig) -> tuple[list[Arch], Resources | None]:
    """The sample, and the resources if they are known. Raises ValueError for everything that can be wrong before."""
    from nas.proxy.sample import spread
    from nas.region import SearchRegion
    from studies.data.registry import class_count
    from studies.trainer.progressive import check_sizes
    from studies.trainer.registry import get_recipe
    from studies.workers.resources import settle_here

    region = SearchRegion.of(config, class_count(config.data.dataset, config.data.root))
    archs = spread(region, config.networks, config.seed)
    # All networks of a space have the same strides.
    for proxy in config.proxies:
        check_sizes(proxy.recipe(get_recipe(config.recipe)), proxy.arch(archs[0]), "resolutions")
    against = config.against
    check_sizes(against.recipe(get_recipe(config.against_recipe)), against.arch(archs[0]), "against.resolution")
    return archs, settle_here(config.workers)


def describe(config: ProxyConfig, archs: Sequence[Arch], images: int) -> str:
    """The plan as text: what is trained, and each proxy's work over the reference's, with so many training images."""
    whole = work(config.against, archs, images)
    shares = {name_of(proxy): work(proxy, archs, images) / whole for proxy in different(config.proxies, archs, images)}
    trainings = len(archs) * (config.against_seeds + len(shares))
    facts = study_facts(config, len(archs)) | {
        "trainings": f"{trainings}, and zero-cost proxies of {pluralise(len(archs), 'network')}",
        "proxies": "multiply-adds of training them, over the reference's:",
    }
    plan = align_facts(facts | {f"  {name}": f"{share:.1%}" for name, share in shares.items()})
    expensive = [name for name, share in shares.items() if share >= 1]
    return plan + (f"\nwarning: no cheaper than the reference: {', '.join(expensive)}" if expensive else "")


def study_facts(config: ProxyConfig, networks: int) -> dict[str, str]:
    """The images, the sample and the reference training, as labels and texts."""
    metric = config.target_metric
    low, high = (metric.format(round(factor * config.target_value), 4) for factor in config.cost_band)
    limits = f", {describe_limits(config.upper_limits)}" if config.upper_limits else ""
    return {
        "images": config.data.dataset,
        "sample": f"{networks} networks of {low} to {high} {metric.title}{limits}, spread evenly",
        "reference": ", ".join(
            (name_of(config.against), f"recipe {config.against_recipe}", pluralise(config.against_seeds, "seed"))
        ),
    }
