# Two commands for a newcomer: `make run` and `make test`. Each creates what it needs in .venv.
# PYTHON=… chooses the interpreter (3.11 or newer); by default the newest one found is used.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: $(VENV)/.runtime ## Start the sandbox: the gateway and the test bank
	@exec $(BIN)/netvalve sandbox

# Without PYTEST_ARGS: everything, and then on PostgreSQL what has run on SQLite over HTTP.
# One process a core, or two where tests mostly wait for processes of their own; a file's tests stay
# together, in the order of the folders, small ones last.
BY_FILE := --dist loadfile --no-loadscope-reorder
TWO_A_CORE = $(shell $(BIN)/python -c "import os; print(2 * (os.cpu_count() or 1))")
PYTEST := $(BIN)/python -m pytest --ignore=tests/browser --ignore=tests/ha

.PHONY: test
test: $(VENV)/.development ## Run all tests
	@$(BIN)/python tests/postgres.py --check
ifdef PYTEST_ARGS
	@$(PYTEST) $(PYTEST_ARGS)
else
	@$(PYTEST) -n auto $(BY_FILE)
	@$(PYTEST) -n $(TWO_A_CORE) $(BY_FILE) --store postgresql -m "not own_store" tests/api tests/e2e
endif

.PHONY: test-browser
test-browser: $(VENV)/.browser ## Run the tests of the pages (needs Chromium)
	@command -v chromium chromium-browser >/dev/null || { \
		echo "Chromium is needed (Debian: apt-get install chromium)"; exit 1; }
	@$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

.PHONY: test-ha
test-ha: $(VENV)/.development ## Lose machines of a real cluster under load (needs root, Patroni, etcd, HAProxy)
	@PYTHONPATH=tests $(BIN)/python -m ha $(PYTEST_ARGS)

.PHONY: rounds
rounds: $(VENV)/.development ## Break running processes on purpose: ROUNDS=50 SEED=7 HARMS="stop,stall" STORE=postgresql
	@PYTHONPATH=tests $(BIN)/python -m e2e.rounds $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(SEED),--seed "$(SEED)") $(if $(HARMS),--harms "$(HARMS)") \
		$(if $(STORE),--store $(STORE)) $(ROUNDS_ARGS)

.PHONY: soak
soak: $(VENV)/.runtime ## Simulate seed after seed until one fails: MINUTES=60 SEED=1000 HOURS=0.2
	@$(BIN)/netvalve simulate --minutes $(or $(MINUTES),10) --hours $(or $(HOURS),0.2) \
		--seed $(or $(SEED),$(shell date +%s))

.PHONY: check
check: $(VENV)/.development ## Format, lint, types, floors, generated pages
	@$(BIN)/ruff format --check src tests bench
	@$(BIN)/ruff check src tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/netvalve docs --check

.PHONY: format
format: $(VENV)/.development ## Rewrite the code in the project's format
	@$(BIN)/ruff format src tests bench
	@$(BIN)/ruff check --fix-only src tests bench

.PHONY: docs
docs: $(VENV)/.runtime ## Rewrite the pages that are made from data
	@$(BIN)/netvalve docs

BENCH_RUN := PYTHONPATH=tests $(BIN)/python -m bench

.PHONY: bench
bench: $(VENV)/.bench ## Measure against the machine's own ceilings, some 20 minutes (needs wrk): BENCH=--help
	@$(BENCH_RUN) $(BENCH)

.PHONY: bench-quick
bench-quick: $(VENV)/.bench ## The essential of it, in two minutes
	@$(BENCH_RUN) --quick $(BENCH)

.PHONY: bench-check
bench-check: $(VENV)/.bench ## A minute of it; fails when the gateway's share of the ceilings is far too small
	@$(BENCH_RUN) --check $(BENCH)

.PHONY: bench-growth
bench-growth: $(VENV)/.bench ## Sell on full stores and on empty ones: ROWS=10000000 (some 30 GB)
	@$(BENCH_RUN) --parts none --growth $(or $(ROWS),10000000) $(BENCH)

.PHONY: bench-memory
bench-memory: $(VENV)/.bench ## Watch the memory of one process: SALES=1000000
	@$(BENCH_RUN) --parts none --memory $(or $(SALES),1000000) $(BENCH)

.PHONY: bench-reads
bench-reads: $(VENV)/.development ## Measure pages of listings on both stores: ROWS=10000000
	@$(BIN)/python bench/reads.py --rows $(or $(ROWS),10000000) $(BENCH)

.PHONY: clean
clean: ## Remove the environment and the caches; leaves var/ (the sandbox's data) alone
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Could not create $(VENV): Python's venv module is needed (Debian and Ubuntu: the package python3-venv)"; exit 1; }

$(VENV)/.runtime: $(VENV)/bin/python requirements/runtime.txt pyproject.toml
	@echo "Installing pinned dependencies into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements/development.txt
	@$(PIP) install --require-hashes -r requirements/development.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.runtime requirements/bench.txt
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@touch $@

$(VENV)/.browser: $(VENV)/.development requirements/browser.txt
	@$(PIP) install --require-hashes -r requirements/browser.txt
	@touch $@
