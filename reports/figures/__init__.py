"""Figures: functions that draw given data on given Axes."""
