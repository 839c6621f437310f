# One file of commands; `make help` lists them. Needs Python 3.11+ (with venv) and make.
# Written for GNU make 3.81 and BSD tools, so that it also runs on an untouched macOS.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-local test-adapters check format types cov bench soak profiles \
	profiles-check FORCE

# A venv for each chosen version: PYTHON=python3.12 never lands in a venv of another one.
ifneq ($(strip $(PYTHON)),)
version := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := .venv-$(or $(version),unknown)
else
VENV := .venv
endif
PY := $(VENV)/bin/python

# The stamp names the directory it was made in: a tree that was copied or moved is set up again.
STAMP := $(VENV)/.installed
PROJECTS := libs/core/pyproject.toml $(sort $(wildcard libs/partners/*/pyproject.toml))
EDITABLE := $(patsubst %/pyproject.toml,-e %,$(PROJECTS))
stale := $(shell test "`cat $(STAMP) 2>/dev/null`" = "$(CURDIR)" || echo FORCE)

# The benchmark's peers live in an environment of their own, made when it is first asked for.
BENCH := $(VENV:.venv%=.venv-bench%)
BENCHED := -e libs/core -e libs/partners/openai -e libs/partners/anthropic
PEERS := langchain-openai langchain-anthropic openai[aiohttp]
# Those whose rows may be missing: one that cannot be installed does not hold up the rest.
RIVALS := pydantic-ai-slim[openai,anthropic] litellm

# Local models run on torch, which is large: their tests have an environment of their own, too.
LOCAL := .venv-local
LOCALLY := -e libs/core -e libs/partners/openai -e libs/partners/huggingface

# So do the frameworks that adapters connect to: they pin old libraries, and load many.
ADAPTERS := $(VENV:.venv%=.venv-adapters%)
ADAPTED := $(sort $(wildcard libs/adapters/*/pyproject.toml))
FRAMEWORKS := langchain-openai langchain-tests

help: ## list these commands
	@echo 'headrace: each command does its own set-up. PYTHON=python3.12 chooses the interpreter,'
	@echo 'ARGS="..." is handed on, for example: make test ARGS="-k stream"'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## run the main job on real input, no key needed
	@$(PY) scripts/demo.py $(ARGS)

# As many workers as there are cores; ARGS="-n 0" runs all in one process, where a debugger works.
test: $(STAMP) ## run the tests
	$(PY) -m pytest -q -n auto $(ARGS)

# Tiny models that the tests make themselves: nothing is downloaded but the packages.
test-local: $(LOCAL)/.installed ## run the tests of local transformers pipelines, in .venv-local
	HF_HUB_OFFLINE=1 $(LOCAL)/bin/python -m pytest -q libs/partners/huggingface/tests_local $(ARGS)

# In one process: LangChain's suite brings pytest plugins of its own.
test-adapters: $(ADAPTERS)/.installed ## run tests and types of libs/adapters beside their frameworks
	$(ADAPTERS)/bin/python -m pytest -q -c libs/adapters/pytest.ini libs/adapters $(ARGS)
	$(ADAPTERS)/bin/python -m mypy --cache-dir $(ADAPTERS)/.mypy_cache $(wildcard libs/adapters/*/src)

check: $(STAMP) ## lint, formatting, floors, types: all that must be clean
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) scripts/check_floors.py
	$(PY) -m mypy

format: $(STAMP) ## rewrite the code in the project's format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(STAMP) ## mypy --strict alone
	$(PY) -m mypy $(ARGS)

cov: $(STAMP) ## run the tests with branch coverage
	$(PY) -m pytest -q -n auto --cov --cov-report=term-missing:skip-covered $(ARGS)

bench: $(BENCH)/.installed ## measure beside LangChain and the SDKs; ARGS="--quick"
	@PYTHONPATH=scripts $(BENCH)/bin/python -m bench $(ARGS)

soak: $(STAMP) ## run the long tests that `make test` leaves out
	$(PY) -m pytest -q -n auto -m soak -o faulthandler_timeout=0 $(ARGS)

# SOURCE: a URL, or a file, which needs no network. DATE: of a file's data, if it is a new one.
profiles_options := $(if $(SOURCE),--source "$(SOURCE)") $(if $(DATE),--date $(DATE))

profiles: $(STAMP) ## write the profiles of all partners anew; SOURCE=URL|FILE
	$(PY) scripts/refresh_profiles.py $(profiles_options) $(ARGS)

profiles-check: $(STAMP) ## compare the profiles with models.dev; SOURCE=URL|FILE
	$(PY) scripts/refresh_profiles.py --check $(profiles_options) $(ARGS)

# $(PY) has no prerequisites: it is made when it is missing or its interpreter was removed.
$(STAMP): $(stale) $(PY) $(PROJECTS) requirements-dev.txt scripts/setup.sh
	@sh scripts/setup.sh "$(VENV)" "$(PYTHON)" $(EDITABLE) -r requirements-dev.txt

# Beside our packages in each call, so that none brings an older SDK with it.
$(BENCH)/.installed: $(PROJECTS) scripts/setup.sh Makefile
	@sh scripts/setup.sh "$(BENCH)" "$(PYTHON)" $(BENCHED) $(PEERS)
	@for rival in $(RIVALS); do \
		sh scripts/setup.sh "$(BENCH)" "$(PYTHON)" $(BENCHED) "$$rival" || \
			echo "headrace: measuring without $$rival" >&2; \
	done

$(LOCAL)/.installed: $(PROJECTS) requirements-local.txt scripts/setup.sh
	@sh scripts/setup.sh "$(LOCAL)" "$(PYTHON)" $(LOCALLY) -r requirements-local.txt

$(ADAPTERS)/.installed: libs/core/pyproject.toml $(ADAPTED) requirements-dev.txt scripts/setup.sh
	@sh scripts/setup.sh "$(ADAPTERS)" "$(PYTHON)" -e libs/core -e libs/partners/openai \
		$(patsubst %/pyproject.toml,-e %,$(ADAPTED)) $(FRAMEWORKS) -r requirements-dev.txt

$(PY): ;

FORCE: ;
