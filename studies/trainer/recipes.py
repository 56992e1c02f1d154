"""The settings of the recipes by name, with where their numbers come from. Imports no torch.

docs/recipes.md says where each recipe differs from its source.
"""

from __future__ import annotations

from studies.trainer.recipe import Recipe

# For a few passes over a few thousand small images, which rank the candidates of a search. It had the best accuracy of
# two proxies among 18 combinations of lr, batch size, optimizer, augmentation and norm momentum. An early rung is
# evaluated while the learning rate is high; the average of weights makes its accuracy a fair one.
QUICK = Recipe(
    schedule="one-cycle",
    warmup=0.3,
    label_smoothing=0.1,
    norm_momentum=0.3,
    weight_decay=2e-3,
    batch_size=32,
    augment="none",
    ema_decay=0.98,
)
# EN, section 5: lr 0.256 for batch 4096; survival 0.8 of stochastic depth is dropping by 0.2. No paper states the
# patience of its early stopping: 20 epochs are ours.
EFFICIENTNET = Recipe(
    optimizer="rmsprop",
    lr=0.016,
    weight_decay=1e-5,
    schedule="exponential",
    warmup=5 / 350,
    decay=0.97,
    decay_epochs=2.4,
    label_smoothing=0.1,
    ema_decay=0.9999,
    stochastic_depth=0.2,
    dropout=0.2,
    norm_momentum=0.01,
    batch_size=256,
    epochs=350,
    patience=20,
    augment="autoaugment",
)


def _efficientnetv2(evaluated: int, *, size: int, magnitude: float, mixup: float, dropout: float) -> Recipe:
    """A column of ENv2's Table 6: EN's optimizer and schedule in 4 stages, from 128 px to `size` px.

    The recipe has sizes as shares of `evaluated`, the side in pixels at which the network is evaluated.
    """
    return EFFICIENTNET.replace(
        augment="randaugment",
        stages=4,
        start_size=128 / evaluated,
        size=size / evaluated,
        start_magnitude=5.0,
        magnitude=magnitude,
        mixup=mixup,
        start_dropout=0.1,
        dropout=dropout,
    )


# For ten epochs or more: quick with regularisation against overfitting.
STANDARD = QUICK.replace(augment="crop-flip", stochastic_depth=0.1, dropout=0.1, epochs=10)
# Super-convergence: one rise and fall to a high peak, with little other regularisation. The peak is 0.4 for 512
# images, as in the fast CIFAR-10 trainings that followed the paper.
ONE_CYCLE = Recipe(schedule="one-cycle", lr=0.1, batch_size=128, warmup=0.3, epochs=24)
EFFICIENTNETV2_S = _efficientnetv2(384, size=300, magnitude=15.0, mixup=0.0, dropout=0.3)
EFFICIENTNETV2_M = _efficientnetv2(480, size=380, magnitude=20.0, mixup=0.2, dropout=0.4)
EFFICIENTNETV2_L = _efficientnetv2(480, size=380, magnitude=25.0, mixup=0.5, dropout=0.5)
