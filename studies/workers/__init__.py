"""Trials on workers: Ray Tune, or this process."""
