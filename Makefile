# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each installs what it needs first, and installs nothing again while the pinned requirements stand.

.DEFAULT_GOAL := help
.PHONY: help install demo test lint evidence trl campaign lock
.DELETE_ON_ERROR:

# The first Python on PATH that is new enough; `make PYTHON=/path/to/python install` overrides.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
endif

VENV := .venv
BIN := $(VENV)/bin
# A Python without ensurepip (Debian splits it off) makes an environment without pip; then its own pip installs.
PIP = $(if $(wildcard $(BIN)/pip),$(BIN)/pip,$(PYTHON) -m pip --python $(BIN)/python)
# Byte code is written at first use, also where the environment says otherwise, as many images do: without it a
# command takes twice as long. Compiling all of it here would add 100 MB that nothing runs.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL = $(PIP) install --quiet --no-compile --disable-pip-version-check

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
	  printf 'make %-10s %s\n' "$$name" "$$what"; done

# Chatter goes to stderr: the stdout of `make evidence` is data.
install: $(VENV)/seedbed.done ## make .venv: the core and the classifier, hash-pinned
	@echo "$(VENV): core and classifier, $$(cat $(VENV)/core.size) MB" >&2

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Seedbed needs Python 3.11 or newer, and '$(or $(PYTHON),python3)' is not. Install it" \
	    "(Debian, Ubuntu: apt-get install python3), or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@"$(PYTHON)" -m venv $(VENV) >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear --without-pip $(VENV)

$(VENV)/core.size: requirements/core.txt | $(BIN)/python
	@echo "installing into $(VENV) ..." >&2
	@$(PIP_INSTALL) --require-hashes -r requirements/core.txt >&2
	@echo $$(( $$(du -sk $(VENV) | cut -f1) * 1024 / 1000000 )) > $@

$(VENV)/seedbed.done: pyproject.toml $(VENV)/core.size
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(VENV)/test.done: requirements/test.txt $(VENV)/core.size
	@echo "installing what the tests need ..." >&2
	@$(PIP_INSTALL) --require-hashes -r requirements/test.txt >&2
	@touch $@

# The report's page is tested in a real browser, and programs run in a real sandbox. Where one of them is not there and
# cannot be installed, the tests that want it skip and say so.
CHROMIUM = command -v chromium || command -v chromium-browser || command -v google-chrome || command -v chrome
BUBBLEWRAP = command -v bwrap
.PHONY: chromium bubblewrap
chromium bubblewrap:
	@{ $($(shell echo $@ | tr a-z A-Z)); } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0; \
	  echo "installing $@, which some of the tests want ..." >&2; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $@; } \
	    >/dev/null 2>&1 || echo "$@ cannot be installed: the tests that want it are skipped" >&2; }

demo: install ## the main job, offline: seed data to training file, proof and report (build/demo)
	@rm -rf build/demo && mkdir -p build
	$(BIN)/seedbed init build/demo --example support-tickets
	$(BIN)/seedbed run build/demo
	@echo && echo "What each filter finds of faults that are planted for it, in seven more rehearsals:"
	@$(BIN)/python -m benchmarks.self_tests
	@echo && echo "The result of the main job again: $(BIN)/seedbed report build/demo"

test: install $(VENV)/test.done chromium bubblewrap ## the tests, the docs check among them; ARGS="-k word" chooses
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

lint: install $(VENV)/test.done ## style, types and the import rules between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# D=D1 chooses one demonstration, PART=banking77 a part of it, FULL=1 the long form, BREAK=1 disables what is
# under proof: make hands them on in the environment. Its stdout is one JSON line for each demonstration.
evidence: install ## the demonstrations on real data, each with its figures
	@SEEDBED_REQUIRE_DATA=1 $(BIN)/python -m benchmarks.evidence

$(VENV)/trl.done: requirements/trl.txt $(VENV)/core.size
	@echo "installing what fine-tuning needs, torch among it: some GB ..." >&2
	@$(PIP_INSTALL) --require-hashes -r requirements/trl.txt >&2
	@touch $@

trl: install $(VENV)/test.done $(VENV)/trl.done ## the tests that fine-tune a tiny model, with the extra trl
	@$(BIN)/pytest -m trl $(ARGS)

campaign: install $(VENV)/test.done ## the long runs that the plain suite leaves out
	@$(BIN)/pytest -m campaign $(ARGS)

COMPILE = CUSTOM_COMPILE_COMMAND='make lock' build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe \
  --strip-extras --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: ## pin requirements/*.txt anew, after a change of pyproject.toml or requirements/*.in
	@test -x build/lock/bin/pip-compile || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet pip-tools; }
	$(COMPILE) --extra classifier --build-deps-for editable --output-file requirements/core.txt pyproject.toml
	$(COMPILE) --output-file requirements/test.txt requirements/test.in
	$(COMPILE) --output-file requirements/trl.txt requirements/trl.in
