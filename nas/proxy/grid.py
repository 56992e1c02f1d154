"""The grid of proxies: their names, their work, and which of them differ."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from studies.trainer.recipe import Proxy


def name_of(proxy: Proxy) -> str:
    """A proxy's name, such as "x0.25 28px 2x4000": width, pixels, epochs and images."""
    return f"x{proxy.width:g} {proxy.resolution}px {proxy.epochs}x{proxy.images or 'all'}"


def work(proxy: Proxy, archs: Sequence[Arch], images: int) -> float:
    """Multiply-adds of training the sample as proxies, forward passes only, with `images` training images at most."""
    each = sum(cost(proxy.arch(arch)).macs for arch in archs)
    return float(each * proxy.epochs * min(proxy.images or images, images))


def different(proxies: Sequence[Proxy], archs: Sequence[Arch], images: int) -> list[Proxy]:
    """The different proxies, least work first, with `images` training images: more of them is all of them."""
    merged = dict.fromkeys(proxy.replace(images=0) if proxy.images >= images else proxy for proxy in proxies)
    return sorted(merged, key=lambda proxy: work(proxy, archs, images))
