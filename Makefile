# Everything runs from a fresh clone: each target makes .venv first if it isn't there.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
PORT ?= 8080
# Coefficients that `make grid` found on the defaults, which `make curves` on them shows beside the paper's.
FOUND = $(if $(findstring --baseline,$(ARGS))$(findstring --dataset,$(ARGS)),,$(wildcard runs/grid/coefficients.json))
# What the targets below leave.
RUNS ?= $(patsubst %/config.yaml,%,$(wildcard runs/search/config.yaml runs/grid/config.yaml runs/curves/config.yaml))

# One thread a process: trials run side by side, and busy threads that share a core slow each other to a crawl.
export OMP_NUM_THREADS ?= 1

.PHONY: help install search grid curves report dashboard test check format bench proxy-study recipes-study clean
help:
	@echo "make install   the environment alone (.venv)"
	@echo "make search    search a 400M baseline on the bundled images, or go on with that search"
	@echo "               RUN=runs/NAME: another run folder; ARGS='--new': begin anew; ARGS='--trials 64': go on to 64"
	@echo "make grid      find alpha, beta, gamma for a small baseline on the bundled images"
	@echo "make curves    compare depth, width, resolution and compound scaling on them, also as make grid found"
	@echo "               both: ARGS='--baseline NAME|FILE --dataset imagefolder:DIR', and RUN= as above"
	@echo "make report    one page on runs/search, runs/grid and runs/curves, those that are there"
	@echo "               RUNS='runs/a runs/b': others; ARGS='--out DIR': where to"
	@echo "make dashboard watch a run in the browser: RUN=runs/search, on http://127.0.0.1:8080 (PORT=)"
	@echo "make test      the whole test suite"
	@echo "make check     lint, format, types, import contracts"
	@echo "make bench     the measurements of docs/performance.md (about half an hour)"
	@echo "make proxy-study   which cheap training can be trusted (some hours; it goes on where it was ended)"
	@echo "make recipes-study   what progressive learning, fused stages and the parts of the recipes bring (about an hour)"
	@echo "make clean     remove the environment and caches (runs/ stays)"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev,bench]"
	touch $(STAMP)

search: install
	$(BIN)/python -m nas.search --target-flops 400M --run $(or $(RUN),runs/search) $(ARGS)

grid: install
	$(BIN)/python -m scaling.grid --phi 1 --run $(or $(RUN),runs/grid) $(ARGS)

curves: install
	$(BIN)/python -m scaling.curves $(FOUND:%=--coefficients %) --run $(or $(RUN),runs/curves) $(ARGS)

report: install
	@test -n "$(strip $(RUNS))" || { echo "there is no run under runs/ yet: make search, make grid, make curves" >&2; exit 2; }
	$(BIN)/python -m reports.build $(RUNS) $(ARGS)

dashboard: install
	@test -f $(or $(RUN),runs/search)/ledger.db || { echo "$(or $(RUN),runs/search) has no ledger.db: give RUN=, a run folder" >&2; exit 2; }
	$(BIN)/optuna-dashboard --host 127.0.0.1 --port $(PORT) sqlite:///$(or $(RUN),runs/search)/ledger.db

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install
	for name in startup cost_model memory scaling_costs suggestions law training orchestration search report; do $(BIN)/python benchmarks/$$name.py || exit 1; done

proxy-study: install
	$(BIN)/python -m nas.proxy --run $(or $(RUN),runs/proxy) $(ARGS)

recipes-study: install
	for study in progressive fused ablations; do $(BIN)/python benchmarks/recipes.py --study $$study $(ARGS) || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
