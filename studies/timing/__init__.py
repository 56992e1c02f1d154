"""Measured latency and measured time of training steps."""
