"""Experiments: data, recipes, training, the ledger of trials, workers, statistics; what the commands stand on."""
