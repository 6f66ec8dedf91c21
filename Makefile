# Needs Python 3.11 or newer and nothing else; the packages go to .venv. ARGS is handed on: make test ARGS="-k mrz"
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test faults bench drill lint lock services

PYTHON ?= $(or $(firstword $(foreach python,python3 python3.11 python3.12 python3.13,$(shell $(python) -c \
  'import sys; sys.version_info >= (3, 11) and print("$(python)")' 2>/dev/null))),$(error Python 3.11 or newer is needed))
BIN := .venv/bin/python -m
INSTALL = $(PYTHON) -m venv .venv && $(BIN) pip install --quiet --disable-pip-version-check --no-deps --require-hashes
COMPILE = $(BIN) uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate
BANDIT = $(BIN) bandit --quiet --configfile pyproject.toml --recursive
ROUNDS = 20
RACES = 10000
AWAY = 60
FAULTS = env FAULT_ROUNDS=$(ROUNDS) FAULT_RACES=$(RACES) FAULT_SECONDS_WITHOUT_REDIS=$(AWAY) $(BIN) pytest -s tests/faults
SETTINGS = kyc_portal.settings.tests

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

demo: .venv/runtime.stamp  ## start the portal with a made-up world, on SQLite and without any service
	.venv/bin/python manage.py demo $(ARGS)

test: .venv/development.stamp  ## run the tests, on SQLite or on what DATABASE_URL and CELERY_BROKER_URL name
	$(BIN) pytest --numprocesses $$(.venv/bin/python -c "import os; print((os.cpu_count() or 1) + 1)") --dist loadgroup $(ARGS)

faults: .venv/development.stamp  ## kill worker, web, database and Redis at random moments; takes hours. ROUNDS=2 RACES=200 AWAY=5 is short
	env -u DATABASE_URL -u CELERY_BROKER_URL $(FAULTS) $(ARGS)
	.ci/services $(FAULTS) $(ARGS)

bench: .venv/development.stamp  ## time what matters beside plain rivals; ARGS="queue" is one of them, tests/bench/__main__.py names all
	env -u DATABASE_URL -u CELERY_BROKER_URL $(BIN) tests.bench $(ARGS)
	@if [ -x "$$(command -v psql)" ]; then .ci/services $(BIN) tests.bench $(ARGS); \
	else echo "PostgreSQL is not installed, so the figures are SQLite's only."; fi

drill: .venv/development.stamp  ## rehearse backup and restore on SQLite, then on a PostgreSQL of its own
	.ci/drill && .ci/services .ci/drill

lint: .venv/development.stamp  ## check style, formatting, dangerous calls and missing migrations
	$(BIN) ruff check . && $(BIN) ruff format --check . && $(BANDIT) accounts cases kyc_portal resellers
	DATABASE_URL=sqlite://:memory: .venv/bin/python manage.py makemigrations --check --dry-run --settings $(SETTINGS)

lock: .venv/development.stamp  ## write the exact versions anew; ARGS=--upgrade takes the newest
	$(COMPILE) $(ARGS) --all-extras --output-file requirements-dev.txt >/dev/null
	$(COMPILE) --constraints requirements-dev.txt --output-file requirements.txt >/dev/null
	$(COMPILE) --constraints requirements-dev.txt --extra production --output-file requirements-production.txt >/dev/null

services:  ## start PostgreSQL and Redis for development, with data that is gone when they stop
	.ci/services $(ARGS)

.venv/runtime.stamp: requirements.txt
	$(INSTALL) --requirement $< && touch $@

.venv/development.stamp: requirements-dev.txt
	$(INSTALL) --requirement $< && touch $@
