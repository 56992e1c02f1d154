"""What reports work out from runs beyond what the runs concluded themselves."""
