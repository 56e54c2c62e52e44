# Two commands do everything: `make up` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv

.PHONY: help up up-servers test check clean clean-environment

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

up: $(VENV)/.installed-runtime clients/node_modules/.installed  ## install what is missing, then run Marquee until Ctrl-C
	@exec $(VENV)/bin/marquee up

up-servers: $(VENV)/.installed-runtime clients/node_modules/.installed  ## the same on PostgreSQL, MongoDB, OpenSearch and Redis: given by address, or installed
	@exec $(VENV)/bin/marquee up --servers

test: $(VENV)/.installed-development clients/node_modules/.installed  ## run all tests
	@exec scripts/test

check: $(VENV)/.installed-development  ## lint, types, import directions, drift of generated files
	@exec scripts/check

clean:  ## remove the state folder (accounts, films, caches); refuses while Marquee runs
	@state="$${MARQUEE_STATE_DIR:-.marquee}"; \
	if [ -f "$$state/up.pid" ] && kill -0 "$$(cat "$$state/up.pid")" 2>/dev/null; then \
	  echo "Marquee is running (pid $$(cat "$$state/up.pid")) and uses $$state; stop it first."; exit 1; fi; \
	rm -rf "$$state" && echo "removed $$state"

clean-environment: clean  ## also remove the Python and npm environments
	rm -rf $(VENV) clients/node_modules

$(VENV)/.installed-runtime: requirements/runtime.lock pyproject.toml
	@PYTHON=$(PYTHON) scripts/install runtime

$(VENV)/.installed-development: requirements/development.lock pyproject.toml
	@PYTHON=$(PYTHON) scripts/install development

clients/node_modules/.installed: clients/package-lock.json | $(VENV)/.installed-runtime
	@scripts/install packages
