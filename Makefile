# make demo   a fresh clone to a trained model and a sample from it
# make check  what has to hold before a commit: lint, types, tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN := runs/demo-$(shell date +%Y%m%d-%H%M%S)
PYTEST_ARGS ?= -n 2

.PHONY: demo test lint types check clean

demo: $(VENV)/.base
	$(BIN)/noria train --minutes 2 --out $(RUN)
	$(BIN)/noria sample $(RUN) --prompt "The " --temperature 0.7 --length 400

# One thread each for the workers: they are as many as the machine has cores, and results do not hang on a thread count.
test: $(VENV)/.test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types test

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Noria needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

# A stamp per set of requirements. An environment that is there already, with more in it, is used as it is.
$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[test]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[dev,test]'
	@touch $@
