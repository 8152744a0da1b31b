# Everything a newcomer needs: `make demo` to see it, `make test` to trust it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: demo setup test check soak bench screens words lock clean

demo: setup  ## a filled example in the browser
	$(BIN)/workshop demo

setup: $(VENV)/.ready  ## .venv with the locked versions, nothing else

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'

$(VENV)/.ready: requirements.lock pyproject.toml | $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.ready-dev: tests/requirements.lock $(VENV)/.ready
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode --require-hashes -r tests/requirements.lock
	touch $@

test: $(VENV)/.ready-dev  ## the whole suite, with a browser and a PostgreSQL of its own
	$(BIN)/python -m tests.prepare
	$(BIN)/python -m pytest -n 4 --dist loadgroup

check: $(VENV)/.ready-dev  ## style, types, package order, templates, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint templates
	$(BIN)/python -m tests.check_migrations

soak: $(VENV)/.ready-dev  ## long fault and load runs
	$(BIN)/python -m tests.prepare
	$(BIN)/python -m pytest -m soak -n 0

bench: $(VENV)/.ready-dev
	$(BIN)/python -m bench.run

screens: $(VENV)/.ready-dev  ## a picture of every screen, into docs/screens
	$(BIN)/python -m tests.prepare
	$(BIN)/python -m tests.screens

words: $(VENV)/.ready-dev  ## the interface's words, for translators
	$(BIN)/python -m tests.words

lock: $(UV)  ## renew both lock files
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev -c requirements.lock -o tests/requirements.lock

clean:
	rm -rf $(VENV) var
