# `make` alone lists what there is. Everything runs in .venv, which scripts/environment.sh makes on first use.
STACK ?= sandbox
PY := .venv/bin/python
LONG := engine or attack or corpus or hypothesis or slow
export PYTHON
# Else each of the processes that tests start compiles the product once more.
unexport PYTHONDONTWRITEBYTECODE

# Whatever fails says why itself. So that make adds no line of its own, a command that fails ends make by SIGPIPE (141 in a shell).
SHELL := bash
.SHELLFLAGS := -c 'eval "$$0" || { kill -PIPE $$PPID; exit 1; }'

.DEFAULT_GOAL := help
.PHONY: help demo up preview refresh destroy serve quick test trial judges check format environment

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / {n = split($$1, t, " "); for (i = 1; i <= n; i++) {line = $$2; sub("COMMAND", t[i], line); printf "  make %-12s %s\n", t[i], line}}' $(MAKEFILE_LIST)

demo: environment ## deploy every auth mode on this machine and call each one
	@$(PY) -m sandbox demo

up preview refresh destroy: ## pulumi COMMAND on STACK: on this machine for STACK=sandbox (the default), else on Azure
	@bash scripts/pulumi.sh $@ $(STACK)

serve: environment ## serve what `make up` deployed on this machine, until Ctrl-C
	@$(PY) -m sandbox gateway --stack $(STACK)

quick: check ## check, and run the tests that take no longer than a minute together
	@echo "left to make test: what is marked $(LONG)"
	$(PY) -m pytest -n auto --dist worksteal -m "not ($(LONG))"

test: check ## check, and run all tests
	$(PY) -m pytest -n auto --dist worksteal -p scripts.measured tests
	$(PY) -m pytest -n auto --dist worksteal -p scripts.measured emulator/tests

trial: environment ## install the emulator into an empty environment, test a policy there and serve it
	$(PY) scripts/try_emulator.py

judges: environment ## install Microsoft's parser of KQL and OpenAI's SDK with npm; the tests that ask them are skipped without
	npm ci --prefix tests/queries/official --ignore-scripts --no-audit --no-fund
	npm ci --prefix tests/onboarding --ignore-scripts --no-audit --no-fund

check: environment ## check format, lint, imports and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	.venv/bin/lint-imports --no-logo
	$(PY) -m mypy

format: environment ## format the code and mend what the linter can mend
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

environment: ## make .venv with PYTHON, by default the first from 3.11 to 3.13 on the PATH, or bring it up to date
	@bash scripts/environment.sh
