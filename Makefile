# What one can do with a checkout: `make help`. All Python is in .venv, made from the hashed lock files.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
SYSTEM := mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 iptables:iptables \
	ssh:openssh-client unshare:util-linux setpriv:util-linux
PEERS := /usr/lib/postgresql/*/bin/initdb:postgresql redis-server:redis-server vagrant:vagrant curl:curl openssl:openssl pebble:pebble pdns_server:pdns-server \
	/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql:pdns-backend-sqlite3 \
	chromium:chromium chromedriver:chromium-driver
LOCK := pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --resolver=backtracking \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header

.PHONY: peers help up test check bench lab wheel lock format clean system

help: ## show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

up: system $(BIN)/.installed ## a hosting company on this machine: lab host, API, worker, example sites (ONCE=1: and stop)
	@$(BIN)/ghostcp up $(if $(ONCE),--once)

test: peers $(BIN)/.installed ## every test, and that every branch of the pure part has one
	@$(BIN)/pytest $(if $(ARGS),$(ARGS),--numprocesses 2 --dist loadscope --no-loadscope-reorder --cov)

check: $(BIN)/.installed ## linters, types, import contracts; a warning is a failure
	@echo 'ruff' && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo 'mypy' && $(BIN)/mypy
	@echo 'import contracts' && $(BIN)/lint-imports
	@echo 'yamllint' && $(BIN)/yamllint --strict .
	@echo 'ansible-lint' && ANSIBLE_LINT_SKIP_SCHEMA_UPDATE=1 PATH="$(CURDIR)/$(BIN):$$PATH" \
		$(BIN)/ansible-lint --offline --strict playbooks

bench: peers $(BIN)/.installed ## measure how fast things are, and write docs/benchmarks.md (ARGS="--only a,d", --quick)
	@$(BIN)/python -m tests.bench $(ARGS)

lab: system $(BIN)/.installed ## a lab host to try things out on (`.venv/bin/ghostcp lab ssh`, `lab down`)
	@$(BIN)/ghostcp lab up

wheel: $(BIN)/.installed ## dist/*.whl
	@$(BIN)/python -m build --wheel

lock: $(BIN)/.installed ## pin the newest allowed versions of everything in requirements/*.txt
	@echo 'Resolving: this takes a minute.'
	@$(BIN)/$(LOCK) --upgrade --output-file requirements/runtime.txt pyproject.toml
	@$(BIN)/$(LOCK) --upgrade --extra dev --constraint requirements/runtime.txt \
		--output-file requirements/dev.txt pyproject.toml

format: $(BIN)/.installed ## put the code into its form
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

clean: ## take down labs, and remove everything that can be made again (var/ too)
	@if [ -x $(BIN)/ghostcp ] && [ -d var/lab ]; then \
		for lab in var/lab/*/; do [ -d "$$lab" ] && $(BIN)/ghostcp lab down --name "$$(basename "$$lab")"; done; fi
	@rm -rf .venv var dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

system: # the programs that labs need, installed when they are missing and we may
	@$(call install_missing,$(SYSTEM))

peers: system # the real peers of the tests as well
	@$(call install_missing,$(PEERS))

# $(call install_missing,PROGRAM:PACKAGE ...) installs the packages of programs that are not there.
define install_missing
	missing=; for pair in $(1); do \
		command -v "$${pair%%:*}" >/dev/null || ls $${pair%%:*} >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing$$missing"; export DEBIAN_FRONTEND=noninteractive; \
			apt-get -qq update && apt-get -qq install --no-install-recommends $$missing >/dev/null; \
		else \
			echo "These are missing, and installing them needs root and apt:$$missing"; \
			echo "Labs and some tests cannot run without them: sudo apt-get install$$missing"; fi; fi
endef

$(BIN)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	@[ -x $(BIN)/python ] || { echo 'Making .venv'; $(PYTHON) -m venv .venv; }
	@echo 'Installing what requirements/dev.txt pins'
	@sed -n '/^pip==/,/[^\\]$$/p' requirements/dev.txt > .venv/pip.txt # an older pip stumbles over extras (coverage[toml]) in hash mode
	@$(BIN)/pip install --disable-pip-version-check --quiet --require-hashes -r .venv/pip.txt
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@
