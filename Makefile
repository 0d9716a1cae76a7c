# Needs Python 3.11 or later and make, nothing else. `make demo` and `make test` set up what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: help demo test test-slow check format manual answer mutate bench-stats bench-adam bench-simulate lock clean

help:
	@echo "make demo       set up, rehearse TARLANEC, build its report, say where it is"
	@echo "make test       set up, check format, lint, types and import contracts, run the tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make format     rewrite the code in the house format"
	@echo "make manual     write docs/rules and docs/study-files.md again, from the tests and the models"
	@echo "make answer     what 129 patients can show: 100,000 trials of each scenario, page and figures in docs (minutes)"
	@echo "make mutate     change medicine/ one place at a time; each change must make a test fail (the better part of an hour)"
	@echo "make bench-stats  the estimators beside their peers, on one core: rewrites docs/bench-stats.md (minutes)"
	@echo "make bench-adam   all analysis datasets of 10,000 patients, and of 100,000 in blocks, on one core (minutes)"
	@echo "make bench-simulate  the simulator beside a floor in C and rpact, on one core: rewrites docs/bench-simulate.md (minutes)"
	@echo "make lock       resolve the dependencies again (needs uv)"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Trialwright needs Python 3.11 or later; set PYTHON=python3.x" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) with the tools of the tests ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/run.stamp $@

demo: $(VENV)/run.stamp
	@$(BIN)/trialwright demo --out demo

test: check
	@$(BIN)/python -m pytest -q -n auto

test-slow: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q -n auto -m slow

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

manual: $(VENV)/dev.stamp
	@$(BIN)/python scripts/manual.py
	@$(BIN)/python scripts/study_files.py

mutate: $(VENV)/dev.stamp
	@nice -n 10 $(BIN)/python tests/mutate.py && nice -n 10 $(BIN)/python scripts/mutate_tables.py

answer: $(VENV)/run.stamp
	@$(BIN)/python scripts/what_can_show.py

# Peers come from the interpreter that runs the bench: BENCH_PYTHON may be another environment with Trialwright in it.
BENCH_PYTHON ?= $(BIN)/python
bench-stats: $(VENV)/dev.stamp
	@$(BENCH_PYTHON) bench/stats.py --markdown docs/bench-stats.md

bench-adam: $(VENV)/run.stamp
	@$(BIN)/python bench/adam.py

bench-simulate: $(VENV)/dev.stamp
	@$(BIN)/python bench/simulate.py --markdown docs/bench-simulate.md

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q
lock:
	$(COMPILE) --extra build pyproject.toml -o requirements/run.txt
	$(COMPILE) --extra dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
