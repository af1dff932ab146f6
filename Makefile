# The few commands of this repository. `make` lists them.
# Needs Python 3.11 or 3.12 with pip, git and make; everything else is put into .tools/ and .venv/ here.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
UV_VERSION := 0.13.9
# four files of tests at a time, since much of their time is waiting; the tests of one file share what it started
PYTEST_SPREAD := -n 4 --dist loadfile --no-loadscope-reorder

# a Python that really starts (a version manager's stub may not) and is new enough
FIND_PYTHON = for name in python3.12 python3.11 python3 python; do \
	command -v $$name >/dev/null 2>&1 && \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1 && \
	{ echo $$name; exit 0; }; done; \
	echo "Gatekeeper needs Python 3.11 or 3.12, and neither was found on the PATH." >&2; exit 1

# the machine's own uv when its version fits pyproject.toml, else the one in .tools/
UV := $(shell uv --version 2>/dev/null | grep -Eq '^uv 0\.13\.(8|9|[1-9][0-9]+)( |$$)' && command -v uv || echo .tools/uv/bin/uv)
UV_NEEDED := $(filter .tools/%,$(UV))

export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test check bench lock

help:
	@echo "make demo     start a throw-away school on this computer, with everything it needs"
	@echo "make test     run the tests"
	@echo "make check    run everything a change must pass: lint, types, contracts, tests"
	@echo "make bench    measure photos, letters, matching and words against what one would use instead"
	@echo "make install  install for a school's own use; then: .venv/bin/gatekeeper run"
	@echo "make lock     choose the dependencies' versions anew and write them down with their hashes"

install: .venv/.installed
	@echo "Installed. Start with: .venv/bin/gatekeeper run   (or: make demo)"

demo: .venv/.installed
	@$(PYTHON) -m gatekeeper demo $(ARGS)

test: .venv/.installed-dev
	@$(PYTHON) -m pytest $(PYTEST_SPREAD) $(ARGS)

check: .venv/.installed-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m pytest $(PYTEST_SPREAD) $(ARGS)

bench: .venv/.installed-dev
	@set -e; for measure in tests/benchmarks/bench_*.py; do $(PYTHON) $$measure $(ARGS); done

lock: $(UV_NEEDED)
	$(UV) pip compile -q --universal --generate-hashes pyproject.toml -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@{ echo "# uv itself, for machines that have none: pip installs it into .tools/ (written by make lock)."; \
	  echo "uv==$(UV_VERSION)" | $(UV) pip compile -q --universal --generate-hashes --no-header --no-annotate - ; } \
	  > requirements-uv.new && mv requirements-uv.new requirements-uv.txt

.tools/uv/bin/uv: requirements-uv.txt
	@python=$$($(FIND_PYTHON)) && echo "Putting uv $(UV_VERSION) into .tools/" && rm -rf .tools/uv && \
	$$python -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
	  --no-deps --require-hashes -r requirements-uv.txt --target .tools/uv
	@touch $@

.venv/pyvenv.cfg: | $(UV_NEEDED)
	@python=$$($(FIND_PYTHON)) && $(UV) venv --quiet --allow-existing --python "$$($$python -c 'import sys; print(sys.executable)')" .venv

# One environment serves both: once the tests' tools are in, `make demo` leaves them in.
.venv/.installed: requirements.txt pyproject.toml .venv/pyvenv.cfg | $(UV_NEEDED)
	@$(MAKE) .sync LIST=$(if $(wildcard .venv/.installed-dev),requirements-dev.txt,requirements.txt)
	@touch $@ $(wildcard .venv/.installed-dev)

.venv/.installed-dev: requirements-dev.txt requirements.txt pyproject.toml .venv/pyvenv.cfg | $(UV_NEEDED)
	@$(MAKE) .sync LIST=requirements-dev.txt
	@touch .venv/.installed $@

.PHONY: .sync
.sync:
	@echo "Installing $(LIST)"
	@$(UV) pip sync --quiet --compile-bytecode --python $(PYTHON) --require-hashes $(LIST)
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --offline -e .
