"""The settings of benchmarks/recipes. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.recipes.studies import STUDIES, Study
from search_spaces.common.checks import as_flags
from search_spaces.common.settings import flat
from search_spaces.common.suggest import nearest
from studies.data.config import DataConfig
from studies.workers.config import WorkersConfig

# What may differ when a run goes on.
RESUMABLE = frozenset({"seeds", "rounds", "workers", "data.root", "new", "run"})


@dataclass(frozen=True)
class RecipesConfig:
    """A study of recipes, or of blocks.

    Attributes:
        study: progressive, fused or ablations.
        data: Images to train on.
        images: Training images of an epoch; the study's own number unless given.
        epochs: Passes over them; the study's own number unless given.
        seeds: Trainings of each arm, at least 2; the study's own number unless given.
        validation: Images held out of training, looked at after each epoch.
        rounds: How often each network's step is timed.
        workers: Trainings at once; as many as there are cores unless given.
        new: Begin anew; an old run in the folder is moved aside.
        run: Run folder; runs/recipes-STUDY unless given.

    """

    study: str = "ablations"
    data: DataConfig = flat(lambda: DataConfig("imagefolder:data/cifar10"))
    images: int | None = None
    epochs: int | None = None
    seeds: int | None = None
    validation: int = 1000
    rounds: int = 10
    workers: int | None = None
    new: bool = False
    run: str = ""

    def __post_init__(self) -> None:
        if self.study not in STUDIES:
            raise ValueError(f"unknown --study '{self.study}'{nearest(self.study, STUDIES)}")
        least = {"images": 1, "epochs": 1, "seeds": 2, "validation": 1, "rounds": 2}
        for name, number in least.items():
            if (given := getattr(self, name)) is not None and given < number:
                raise ValueError(f"--{name} must be at least {number}, got {given}")
        # These raise where the epochs are too few for the study, or the number of workers makes no sense.
        with as_flags({"epochs": "epochs"}):
            self.plan(classes=2)
        self.on_cpus  # noqa: B018

    @property
    def folder(self) -> str:
        """The run folder."""
        return self.run or f"runs/recipes-{self.study}"

    @property
    def on_cpus(self) -> WorkersConfig:
        """The workers: on CPUs, one thread each."""
        return WorkersConfig(number=self.workers, gpus_per_trial=0)

    def plan(self, classes: int) -> Study:
        """The study with these numbers, for images of so many classes."""
        study = STUDIES[self.study]()
        arms = tuple(replace(arm, arch=arm.arch.replace(classes=classes, name="")) for arm in study.arms)
        recipe = study.recipe.lasting(self.epochs or study.recipe.epochs)
        amounts = {"images": self.images or study.images, "seeds": self.seeds or study.seeds}
        return replace(study, arms=arms, recipe=recipe, **amounts)
