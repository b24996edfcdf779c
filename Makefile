# `make demo` and `make test` from nothing: they need make and Python 3.11 or newer, and create .venv on first use.
# To choose another build of PyTorch (the one for CPUs alone is much smaller), pass pip's options on:
#   make demo PIP_OPTIONS="--extra-index-url ..."      with the address that pytorch.org gives for your machine

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP_OPTIONS ?=
WORKERS ?= 2

BIN := .venv/bin
INSTALLED := .venv/.installed
DOCUMENTED := .venv/.documented

.PHONY: help demo test lint unit doctest docs clean

help:
	@echo "make demo    train a model on handwritten digits and write a report about it"
	@echo "make test    lint, types, tests and the examples of the documentation"
	@echo "make lint    ruff and mypy"
	@echo "make docs    the API reference and the pages on extending Hourglass, into site/"
	@echo "make clean   remove .venv and what runs and tests left"

demo: $(INSTALLED)
	@$(BIN)/hourglass demo

test: lint unit doctest

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/mypy src

# one thread a worker: the tests' models are tiny, and more threads would only wait for each other
unit: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) tests

doctest: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --doctest-modules src

# links and references are checked: a broken one is an error
docs: $(DOCUMENTED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

$(DOCUMENTED): $(INSTALLED)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input $(PIP_OPTIONS) \
		-c constraints.txt -e ".[docs]"
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing into .venv; the first time this takes a few minutes"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input $(PIP_OPTIONS) \
		-c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf .venv runs site .pytest_cache .mypy_cache .ruff_cache .hypothesis
