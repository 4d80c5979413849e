# Each target sets up all that it needs: a virtual environment inside the checkout, from pinned versions.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip -qq --disable-pip-version-check

.DELETE_ON_ERROR:
.PHONY: demo test bench lock clean

# Compile the pack for every target, replay the samples through what was written, print every correlation × language × scenario.
demo: $(VENV)/ready
	$(BIN)/an1498 build
	$(BIN)/an1498 test --build dist --matrix

# Everything that CI checks.
test: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/an1498 check
	$(BIN)/pytest -n auto

# Print how long the commands take.
bench: $(VENV)/ready
	$(BIN)/python bench/measure.py

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
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
