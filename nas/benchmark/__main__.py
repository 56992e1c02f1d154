"""Compare samplers on tables: `python -m nas.benchmark --table nas-bench-201:cifar100`; see docs/benchmark.md."""

from __future__ import annotations

from collections.abc import Sequence

from nas.benchmark.config import BenchmarkConfig
from nas.benchmark.run import run_benchmark
from nas.samplers import registry as samplers
from search_spaces.common import cli

DESCRIPTION = (
    "Compare samplers on a table of networks that others have trained: mean regret against trials, with confidence "
    "intervals over seeds, and seconds per proposal. The same command resumes an interrupted benchmark."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is searched."""
    config = cli.parse(BenchmarkConfig, argv, prog="python -m nas.benchmark", description=DESCRIPTION)
    for sampler in config.samplers:
        samplers.check(sampler)
    from nas.benchmark.optimizers import make_optimizer

    run_benchmark(config, make_optimizer, config.samplers or tuple(samplers.SAMPLERS))
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
