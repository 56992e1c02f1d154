"""The parts of the predictor: what a network looks like to it, what was measured, the model, and what to try next."""
