"""What a proxy study will train, and everything that can be wrong before compute is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.proxy.config import ProxyConfig

if TYPE_CHECKING:
    from search_spaces.networks.arch import Arch
    from studies.workers.resources import Resources


def prepare(config: ProxyConfig) -> tuple[list[Arch], Resources | None]:
    """The sample, and the resources where they are known; raises ValueError for what can be found wrong before."""
    from nas.proxy.sample import spread
    from nas.region import SearchRegion
    from studies.data.registry import class_count
    from studies.trainer.progressive import check_sizes
    from studies.trainer.registry import get_recipe
    from studies.workers.resources import settle_here

    region = SearchRegion.of(config, class_count(config.dataset))
    archs = spread(region.space, region.band, config.networks, config.seed)
    # All networks of a space have the same strides.
    for proxy in config.proxies:
        check_sizes(proxy.recipe(get_recipe(config.recipe)), proxy.arch(archs[0]), "resolutions")
    against = config.against
    check_sizes(against.recipe(get_recipe(config.against_recipe)), against.arch(archs[0]), "against.resolution")
    return archs, settle_here(config.execution)
