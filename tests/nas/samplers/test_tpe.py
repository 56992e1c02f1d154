"""What Optuna's TPE does where the cost band is too narrow to be hit by chance."""

from __future__ import annotations

import optuna

import search_spaces as ss
from nas.samplers import registry as samplers
from nas.samplers.parameters import distributions, to_choice

SPACE = ss.space("small", resolution=28)


def test_a_narrow_band_is_walked_into():
    band = (64_000_000, 64_200_000)
    sampler = samplers.make("tpe", SPACE, within={"macs": band}, seed=1)
    study, start = optuna.create_study(direction="maximize", sampler=sampler), samplers.SAMPLERS["tpe"].startup
    for _ in range(start + 4):
        trial = study.ask(dict(distributions(SPACE)))
        choice = to_choice(SPACE, trial.params)
        assert band[0] <= ss.cost(SPACE.decode(choice)).macs <= band[1]
        study.tell(trial, float(choice["stage4.op"] == "mbconv6"))
    # One in a thousand encodings lies in the band: 50 uniform draws miss it with a probability of 95 %.
    assert [sampler.how(number) for number in range(start, start + 4)].count("tpe") >= 3
