# make demo   show the whole system on a fictional newsroom
# make test   install what tests need, run everything
# make check  test, and before it ruff, mypy and the rules of dependency
# make faults  try every named fault (needs a C compiler); make faults-long  thirty ways each, full time-outs
# make bench  measure; make lock  remake the locks; make clean  remove what was made here

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
WORKERS ?= 2
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet

.PHONY: demo test check lint faults faults-long bench bench-million lock clean

demo: $(VENV)/.runtime
	$(BIN)/publisher demo

test: $(VENV)/.dev browser mjml
	$(BIN)/pytest -n $(WORKERS)

check: lint test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults --workers $(WORKERS)

faults-long: $(VENV)/.dev
	$(BIN)/python -m tests.faults --workers $(WORKERS) --seeds 30 --long

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

bench-million: $(VENV)/.dev
	$(BIN)/python -m benchmarks.million

lock: $(VENV)/.dev
	$(LOCK) --extra build --extra dev --output-file requirements-dev.lock
	$(LOCK) --extra build --constraint requirements-dev.lock --output-file requirements.lock

clean:
	rm -rf $(VENV) node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/.runtime

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

# Tests of pages and mails look at them in Chromium. Without it they are skipped.
.PHONY: browser mjml
browser:
	@command -v chromium > /dev/null || .ci/install-chromium

# The e-mail layouts are held against the official MJML where npm is there.
mjml:
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory node_modules/.installed; \
	else echo "No npm here: the test against the official MJML is skipped."; fi

node_modules/.installed: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@
