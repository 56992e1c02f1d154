"""The section on the health of the runs: outcomes, time, warnings."""
