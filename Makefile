# Each target does its own set-up, and is also one line that works typed by hand.
#
#   make run        the dashboard on http://127.0.0.1:8501, with all that its workspace needs
#   make workspace  the workspace alone: deployments and schedules live without a browser
#   make demo       fill a workspace by doing the work: data, training, deployment, load test …
#   make test       every test; gets Chromium, ab and Node where they are missing
#   make check      ruff, format, mypy; hadolint, shellcheck
#   make azure-double  Azure ML on this machine, for the dashboard and for scripts of SDK v1
#   make bench      ratios measured against the alternatives, an hour and a half
#   make icons      the icon font, after an icon was added
#   make image      the container image

PYTHON ?= python3.11
ADDRESS ?= 127.0.0.1
PORT ?=
TESTS ?=
JOBS ?= auto
DASHBOARD_HOME ?= $(HOME)/.azureml-dashboard
AZURE_DOUBLE ?= $(HOME)/.azureml-double

VENV := .venv
BIN := $(VENV)/bin
NODE := tests/node
digest = $(shell cat $(1) | sha256sum | cut -c1-16)
RUN_READY := $(VENV)/.ready-run-$(call digest,requirements.txt constraints.txt)
TEST_READY := $(VENV)/.ready-test-$(call digest,requirements.txt requirements-dev.txt constraints.txt)
BENCH_READY := $(VENV)/.ready-bench-$(call digest,requirements.txt requirements-dev.txt requirements-bench.txt constraints.txt)
NODE_READY := $(NODE)/node_modules/.ready-$(call digest,$(NODE)/package-lock.json)

# Without bytecode every start takes three times as long, whatever the shell was told.
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: run workspace demo azure-double test check bench icons image node tools format clean
.DEFAULT_GOAL := run

run: $(RUN_READY)
	@exec $(BIN)/python -m dashboard --address $(ADDRESS) $(if $(PORT),--port $(PORT))

workspace: $(RUN_READY)
	@exec $(BIN)/python -m services.local.supervisor "$(DASHBOARD_HOME)"

demo: $(RUN_READY)
	@exec $(BIN)/python -m services.local.demo "$(DASHBOARD_HOME)"

azure-double: $(TEST_READY)
	@exec $(BIN)/python -m tests.azure_double --demo "$(AZURE_DOUBLE)"

test: $(TEST_READY) tools node
	$(BIN)/python -m pytest --numprocesses $(JOBS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(TEST_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/*

bench: $(BENCH_READY) tools
	$(BIN)/python -m tests.bench

icons: $(TEST_READY)
	$(BIN)/python -m tests.icon_font

image:
	@engine=$$(command -v docker || command -v podman) \
	  || { echo "Building the image needs docker or podman." >&2; exit 1; }; \
	"$$engine" build --tag azureml-dashboard .

format: $(TEST_READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(NODE)/node_modules test-results bench-results bench-environments .mypy_cache .ruff_cache .pytest_cache

# --- set-up ---

$(BIN)/python:
	@.ci/python-venv "$(PYTHON)" "$(VENV)"

$(RUN_READY): | $(BIN)/python
	@PYTHON=$(BIN)/python .ci/system-packages run
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(BIN)/python -m compileall -q -j 0 dashboard pages services
	@touch $@

$(TEST_READY): | $(RUN_READY)
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

$(BENCH_READY): | $(TEST_READY)
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	@touch $@

tools:
	@.ci/system-packages

node: $(NODE_READY)

$(NODE_READY):
	@.ci/system-packages node
	npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
