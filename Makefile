# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

WITHIN := tools/env/within
MAIN := $(WITHIN) main
PYTEST_OPTIONS ?=
# Tests with servers wait more than they work, so more of them run than there are processors; each file in one worker.
SPREAD ?= -n 4 --dist loadfile --no-loadscope-reorder
export SPREAD

.PHONY: help
help: ## this list
	@tools/env/help $(MAKEFILE_LIST)

##@ The two commands

.PHONY: demo test
demo: ## clusters saved, lost, restored, proven, upgraded, taken back, rehearsed, on real Consul
	@$(MAIN) tools/demo/run

test: ## everything that must hold, stage by stage, with a table at the end
	@$(MAIN) python3 -m env.test_all

##@ Tests

.PHONY: unit integration fuzz molecule newest floor bench fleet
unit: ## unit tests: no Consul, under half a minute
	@$(MAIN) pytest tests/unit $(PYTEST_OPTIONS)

integration: ## modules, roles and playbooks on real Consul, new and old
	@$(WITHIN) --installed main pytest tests/integration $(SPREAD) $(PYTEST_OPTIONS)

fuzz: ## the reader beside Consul itself on changed archives; FUZZ_CASES=20000 FUZZ_SEED=7, FUZZ_READER_ONLY=1
	@$(MAIN) tests/fuzz/run

molecule: ## the scenarios in molecule/: converge, idempotence, verify
	@$(WITHIN) --installed main molecule test --all

newest: ## unit tests and the marked integration tests on the newest ansible-core
	@$(WITHIN) --optional --installed newest tools/env/on-newest $(PYTEST_OPTIONS)

floor: ## the same with the modules on Python 3.9, requests 2.25 and msgpack 1.0
	@$(WITHIN) --optional floor tools/env/on-floor $(PYTEST_OPTIONS)

bench: ## speed beside curl and the consul CLI; BENCH_KEYS=n for more keys
	@$(WITHIN) --installed main tests/benchmarks/run

fleet: ## a hundred clusters, some broken, backed up and rehearsed; FLEET_SIZES=25,50,100
	@$(WITHIN) --installed main tests/fleet/run

##@ Checks

.PHONY: sanity sanity-main sanity-newest lint ruff mypy shellcheck yamllint ansible-lint docs changelog-lint reuse importer
sanity: ## ansible-test sanity on both ansible-cores, with an empty ignore list
	@$(MAKE) --keep-going sanity-main sanity-newest

sanity-main:
	@$(MAIN) tools/env/sanity main

sanity-newest:
	@$(WITHIN) --optional newest tools/env/sanity newest

lint: ## ruff, mypy, shellcheck, yamllint, and ansible-lint in its production profile
	@$(MAKE) --keep-going ruff mypy shellcheck yamllint ansible-lint

ruff:
	@$(MAIN) ruff check --output-format concise .
	@$(MAIN) ruff format --check --output-format concise .

mypy:
	@$(MAIN) tools/env/mypy

shellcheck:
	@$(MAIN) shellcheck $$(git grep --untracked -lE '^#!.*[/ ](ba)?sh( |$$)' -- .ci tools tests)

yamllint:
	@$(MAIN) yamllint --strict .

ansible-lint:
	@$(MAIN) tools/env/ansible-lint

docs: ## antsibull-docs over the documentation; ansible-doc shows every module and role
	@$(MAIN) tools/env/docs

changelog-lint: ## the changelog's fragments
	@$(MAIN) antsibull-changelog lint

reuse: ## every file says whose it is and under which licence
	@$(MAIN) reuse lint --lines

importer: ## what Galaxy checks when the artifact is uploaded
	@$(WITHIN) importer tools/env/importer

##@ The rest

.PHONY: report-picture
REPORT_PICTURES ?= report-pictures
report-picture: ## pictures of an example report, or of REPORT=path, into REPORT_PICTURES=directory
	@$(MAIN) python3 -m browser $(REPORT_PICTURES) $(REPORT)

.PHONY: format build environments consul clean distclean
format: ## let ruff put the code in order
	@$(MAIN) ruff check --fix .
	@$(MAIN) ruff format .

build: ## the artifact for Galaxy, into this directory
	@$(MAIN) tools/env/build-collection .

environments: ## make all environments now; everything else makes what it needs by itself
	@for name in main newest floor importer; do $(WITHIN) --optional $$name true; done

consul: ## get both Consul binaries now: a build of minutes with Go, once
	@tools/consul/get 1.22.7
	@tools/consul/get 1.8.7

clean: ## remove what was made from this checkout, in it and in the cache
	@tools/env/clean checkout

distclean: ## the environments, too (the Consul binaries stay)
	@tools/env/clean all
