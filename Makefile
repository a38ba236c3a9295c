# Two commands do all the set-up: 'make demo' and 'make test'.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Quiet, and without a word on newer versions of pip.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check lab lint format bench chromium clean

demo: $(VENV)/.base  ## simulate a scan, reconstruct it, write the report
	$(BIN)/beamkit demo --out demo-output

test: $(VENV)/.test chromium  ## every test
	$(BIN)/python -m pytest

check: $(VENV)/.test lint  ## the quick loop: linters, types, rules of the house, quick tests
	$(BIN)/python -m pytest -q -n auto -m "not slow and not ui and not gpu"

lab: $(VENV)/.lab  ## JupyterLab on the first tutorial
	$(BIN)/beamkit lab

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout --keep-id notebooks/*/*.ipynb

bench: $(VENV)/.test  ## timings against other libraries, printed as tables
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

chromium:
	tests/ui/install-chromium

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/.lab: pyproject.toml | $(BIN)/python
	$(PIP) --editable ".[lab]"
	touch $@ $(VENV)/.base

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) --editable ".[test]"
	touch $@ $(VENV)/.base $(VENV)/.lab

clean:
	rm -rf $(VENV) demo-output build dist .mypy_cache .ruff_cache .pytest_cache
