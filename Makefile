# Each target sets up all that it needs: a virtual environment inside the checkout, from pinned versions.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip -qq --disable-pip-version-check
PYTHON_312 ?= $(shell for p in python3.14 python3.13 python3.12 python3 $(HOME)/.pyenv/versions/3.1[2-9]*/bin/python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo $$p && break; done)
ESQL_VENV := .venv-esql
ESQL_PYTHON = AN1498_ESQL_PYTHON=$(if $(PYTHON_312),$(CURDIR)/$(ESQL_VENV)/bin/python,)
APPINSPECT_VENV := .venv-appinspect

.DELETE_ON_ERROR:
.PHONY: demo test appinspect prove oracles browser bench lock clean

# Compile the pack for every target, replay the samples through what was written, print every correlation × language × scenario; then the
# same for targets that look up whose address it was.
demo: $(VENV)/ready
	$(BIN)/an1498 build
	$(BIN)/an1498 test --build dist --matrix
	@echo "The machine by its host instead of its address (environments/hosts.toml):"
	$(BIN)/an1498 --env environments/hosts.toml test --samples environments/hosts --target splunk-hosts --target elastic-hosts

# Everything that CI checks.
test: $(VENV)/ready oracles browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/an1498 check
	$(BIN)/an1498 test
	$(ESQL_PYTHON) $(BIN)/pytest -n auto --dist worksteal
	$(MAKE) --no-print-directory appinspect

# Splunk AppInspect over the built Splunk apps: prints the counts, fails on a failure or a warning.
appinspect: $(VENV)/ready $(APPINSPECT_VENV)/ready
	$(BIN)/python tests/ship/splunk/appinspect.py $(APPINSPECT_VENV)/bin/splunk-appinspect

$(APPINSPECT_VENV)/ready: requirements/appinspect.txt
	$(PYTHON) -m venv --clear $(APPINSPECT_VENV)
	PIP_ROOT_USER_ACTION=ignore $(APPINSPECT_VENV)/bin/python -m pip -qq --disable-pip-version-check install -r requirements/appinspect.txt
	@touch $@

# The long proof run: every mutant, 15,000 random streams per correlation type, every oracle. Rewrites docs/proof.md.
prove: $(VENV)/ready oracles
	$(ESQL_PYTHON) $(BIN)/an1498 prove --long --format markdown --out docs/proof.md

# Elastic's ES|QL grammar needs a newer Python than the pack: an environment of its own, where such a Python is found.
oracles:
	@if test -n "$(PYTHON_312)"; then $(MAKE) --no-print-directory $(ESQL_VENV)/ready; \
	else echo "make: no Python 3.12 or newer is found (PATH, pyenv): Elastic's ES|QL grammar is not asked" >&2; fi

$(ESQL_VENV)/ready: requirements/esql.txt
	$(PYTHON_312) -m venv --clear $(ESQL_VENV)
	PIP_ROOT_USER_ACTION=ignore $(ESQL_VENV)/bin/python -m pip --quiet --disable-pip-version-check install -r requirements/esql.txt
	@touch $@

# The hunt report is opened in a real browser, which is no Python package: a build server installs it, a person is told.
browser:
	@if ! command -v chromium >/dev/null && test -n "$$CI" && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1 || true; fi
	@command -v chromium >/dev/null || echo "make: no chromium is found: the hunt report is not opened in a browser" >&2

# Print how long the commands take, and our hunt beside other tools on the same events. ZIRCOLITE=DIR names a checkout of that one.
bench: $(VENV)/ready
	$(BIN)/python bench/measure.py
	$(BIN)/python bench/side_by_side.py $(if $(ZIRCOLITE),--zircolite $(ZIRCOLITE))

$(VENV)/ready: pyproject.toml requirements/test.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: Python >= 3.11 is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install -r requirements/test.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Renew the pinned versions after a change of pyproject.toml (needs uv).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links \
		--extra test --output-file requirements/test.txt pyproject.toml requirements/build.in

clean:
	rm -rf $(VENV) .venv-zircolite $(ESQL_VENV) $(APPINSPECT_VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
