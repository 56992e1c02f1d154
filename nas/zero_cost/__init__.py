"""Zero-cost proxies: scores of networks that take no training."""
