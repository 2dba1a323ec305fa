# `make` alone lists what there is. Everything runs in .venv, which is made on first use.
PYTHON ?= python3.11
STACK ?= sandbox
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo up preview refresh destroy serve test format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / {n = split($$1, t, " "); for (i = 1; i <= n; i++) {line = $$2; sub("COMMAND", t[i], line); printf "  make %-10s %s\n", t[i], line}}' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## deploy every auth mode on this machine and call each one
	@$(PY) -m sandbox demo

up preview refresh destroy: ## pulumi COMMAND on STACK: on this machine for STACK=sandbox (the default), else on Azure
	@bash scripts/pulumi.sh $@ $(STACK)

serve: $(VENV)/installed ## serve what `make up` deployed on this machine, until Ctrl-C
	@$(PY) -m sandbox gateway --stack $(STACK)

test: $(VENV)/installed ## check format, lint and types, and run the tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest -n auto tests --cov --cov-report=term
	$(PY) -m pytest -n auto emulator/tests

format: $(VENV)/installed ## format the code and mend what the linter can mend
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

$(VENV)/installed: requirements.txt requirements-dev.txt emulator/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH: install Python 3.11, or name it with PYTHON=..."; exit 2; }
	@echo "installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
