"""The durable record of trials in an Optuna storage."""
