# `make` alone lists what there is. Everything runs in .venv, which is made on first use.
PYTHON ?= python3.11
STACK ?= sandbox
VENV := .venv
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo up test format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## deploy every auth mode on this machine and call each one
	@$(PY) -m sandbox demo

up: ## deploy STACK: on this machine for STACK=sandbox (the default), else to Azure by `pulumi up`
ifeq ($(STACK),sandbox)
	@$(MAKE) --no-print-directory $(VENV)/installed
	@$(PY) -m sandbox up --stack $(STACK)
else
	@bash scripts/preflight.sh $(STACK)
	@$(MAKE) --no-print-directory $(VENV)/installed
	pulumi up --stack $(STACK)
endif

test: $(VENV)/installed ## check format, lint and types, and run the tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest -n auto --cov --cov-report=term

format: $(VENV)/installed ## format the code and mend what the linter can mend
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

$(VENV)/installed: requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH: install Python 3.11, or name it with PYTHON=..."; exit 2; }
	@echo "installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
