# Two commands on a fresh machine with python3 (3.11 or newer), make and git:
#   make audit   the demo shop's report          make test   the everyday tests
# The first call makes .venv; later calls install again only when the lock or pyproject.toml has changed.

PYTHON ?= python3
BIN := .venv/bin
# Two test processes: each holds pandas, DuckDB and at times a kernel.
WORKERS ?= 2

# uv installs the lock in seconds; where it cannot be had, pip does the same in two minutes. Compiled here once: kernels
# start four times as fast, also where Python is told to write no bytecode of its own.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --compile-bytecode
install = { $(PIP) uv && $(UV) $(1); } || $(PIP) $(1)

.PHONY: help audit test test-all lint lab bench readme scorecard lock clean

help:
	@echo "make audit     write the demo shop, audit it, print where the report is"
	@echo "make test      ruff and the everyday tests (minutes)"
	@echo "make test-all  everything: slow, spark and browser tests as well (up to an hour)"
	@echo "make lab       JupyterLab on the notebooks"
	@echo "make bench     benchmarks on generated logs"
	@echo "make readme    write the README's tree, commands and dictionary from the code"
	@echo "make scorecard try every promise and write the cases tried into the README"
	@echo "make lock      resolve pyproject.toml into requirements.txt anew"
	@echo "make clean     remove .venv and the tools' caches; never data or reports"

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: requirements.txt pyproject.toml | .venv/python
	@echo "installing requirements.txt into .venv"
	@$(call install,-r requirements.txt)
	@$(BIN)/python -m compileall -q src
	@touch $@

# What only the long tests need: Spark and a browser's driver, at versions that fit the lock.
.venv/installed-all: .venv/installed
	@grep -v '^-e' requirements.txt > .venv/constraints.txt
	@$(call install,-c .venv/constraints.txt -e ".[spark$(comma)browser]") \
	    || echo "Spark or the browser's driver could not be installed; their tests will be skipped."
	@touch $@
comma := ,

audit: .venv/installed
	@$(BIN)/audit demo
	@$(BIN)/audit run demo

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

test: lint
	$(BIN)/python -m pytest -m "not slow and not spark and not browser" -n $(WORKERS)

test-all: lint .venv/installed-all
	$(BIN)/python -m pytest -n $(WORKERS)

# The whole repository, so that a client's own notebooks can be opened too.
lab: .venv/installed
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

bench: .venv/installed .venv/installed-peers
	$(BIN)/python -m tests.benchmarks --peers .venv/peers/bin/python

# The product does without its peers: they live in an environment of their own, for measuring only.
.venv/installed-peers: pyproject.toml | .venv/installed
	@$(PYTHON) -m venv .venv/peers
	@VIRTUAL_ENV="$(CURDIR)/.venv/peers" $(BIN)/uv pip install --quiet --compile-bytecode -e ".[bench]" \
	    || .venv/peers/bin/python -m pip install --quiet -e ".[bench]" \
	    || echo "The peers could not be installed; their rows will say so."
	@touch $@

readme: .venv/installed
	@$(BIN)/python tests/readme.py

scorecard: .venv/installed-all
	@$(BIN)/python tests/scorecard.py -n $(WORKERS)

lock: .venv/installed
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	    pyproject.toml -o .venv/lock.txt
	@{ cat .venv/lock.txt; echo "-e ."; } > requirements.txt

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
