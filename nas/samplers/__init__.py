"""Samplers: Optuna samplers that propose networks."""
