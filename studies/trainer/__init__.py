"""How one network is trained: recipe, loop, optimizers, checkpoints."""
