# Everything runs from a fresh clone: each target makes .venv first where there is none.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
PORT ?= 8080
# The coefficients that `make grid` found with its defaults; `make curves` compares them with the paper's.
FOUND = $(if $(findstring --baseline,$(ARGS))$(findstring --dataset,$(ARGS)),,$(wildcard runs/grid/coefficients.json))
# The runs of the targets below.
RUNS ?= $(patsubst %/config.yaml,%,$(wildcard runs/search/config.yaml runs/grid/config.yaml runs/curves/config.yaml))

# One thread a process: trials run side by side, and busy threads that share a core slow each other to a crawl.
export OMP_NUM_THREADS ?= 1

.PHONY: help install search grid curves report dashboard test coverage check tables format bench proxy-study recipes-study clean
help:
	@echo "make install   make the environment (.venv) only"
	@echo "make search    search for a 400M baseline on the bundled images, or resume that search"
	@echo "               RUN=runs/NAME: another run folder; ARGS='--new': start again; ARGS='--trials 128': 128 candidates"
	@echo "make grid      find alpha, beta, gamma for a small baseline on the bundled images"
	@echo "make curves    compare depth, width, resolution and compound scaling, also with the coefficients of make grid"
	@echo "               for both: ARGS='--baseline NAME|FILE --dataset imagefolder:DIR', and RUN= as above"
	@echo "make report    one page about runs/search, runs/grid and runs/curves, as far as they exist"
	@echo "               RUNS='runs/a runs/b': other runs; ARGS='--out DIR': another folder"
	@echo "make dashboard watch a run in the browser: RUN=runs/search, on http://127.0.0.1:8080 (PORT=)"
	@echo "make test      the whole test suite"
	@echo "make coverage  the same, with the lines and branches that it covers"
	@echo "make check     lint, format, types, import contracts, tables of the docs"
	@echo "make tables    write the tables of the docs from the registries"
	@echo "make bench     the measurements of docs/performance.md (about half an hour)"
	@echo "make proxy-study   which cheap training can be trusted (some hours; it can be resumed)"
	@echo "make recipes-study   the effect of progressive learning, fused stages and parts of the recipes (about an hour)"
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
	@test -n "$(strip $(RUNS))" || { echo "there is no run under runs/ yet: run make search, make grid or make curves first" >&2; exit 2; }
	$(BIN)/python -m reports.build $(RUNS) $(ARGS)

dashboard: install
	@test -f $(or $(RUN),runs/search)/ledger.db || { echo "$(or $(RUN),runs/search) has no ledger.db: give a run folder as RUN=" >&2; exit 2; }
	$(BIN)/optuna-dashboard --host 127.0.0.1 --port $(PORT) sqlite:///$(or $(RUN),runs/search)/ledger.db

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

coverage: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/write_tables.py --check

tables: install
	$(BIN)/python scripts/write_tables.py

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install
	for name in startup cost_model memory scaling_costs suggestions law training orchestration search report; do $(BIN)/python benchmarks/$$name.py || exit 1; done

proxy-study: install
	$(BIN)/python -m nas.proxy --run $(or $(RUN),runs/proxy) $(ARGS)

recipes-study: install
	for study in progressive fused ablations; do $(BIN)/python -m benchmarks.recipes --study $$study $(ARGS) || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
