# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The front door: names for what noxfile.py does. tools/env/nox --list has the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

NOX := tools/env/nox
PYTEST_OPTIONS ?=
LINT := formatters yamllint antsibull-nox-config mypy shellcheck ansible-lint
CHECK := unit $(LINT) docs license-check extra-checks changelog
# In CI antsibull-nox checks the format of code; elsewhere it changes it.
LOOK := CI=true $(NOX) --allow-parallel -j 2 -s

.PHONY: help
help: ## this list
	@tools/env/help $(MAKEFILE_LIST)

##@ The two commands

.PHONY: demo test
demo: ## clusters saved, lost, restored, proven, upgraded, taken back, rehearsed, on real Consul
	@$(NOX) -s demo

test: consul ## everything that must hold, session by session, with a table at the end
	@CI=true python3 tools/env/test_all.py $(CHECK)

##@ Tests

.PHONY: unit integration nightly fuzz molecule newest oldest floor bench fleet
unit: ## unit tests: no Consul, about a minute
	@$(NOX) -s unit -- $(PYTEST_OPTIONS)

integration: ## modules, roles and playbooks on real Consul, new and old; PYTEST_OPTIONS may name files
	@$(NOX) -s integration -- $(PYTEST_OPTIONS)

nightly: ## the integration tests that make test leaves out because they take long, such as total loss and schedules
	@$(NOX) -s nightly -- $(PYTEST_OPTIONS)

fuzz: ## the reader beside Consul itself on changed archives; FUZZ_CASES=20000 FUZZ_SEED=7, FUZZ_READER_ONLY=1
	@$(NOX) -s fuzz

molecule: ## the scenarios in molecule/: converge, idempotence, verify
	@$(NOX) -s molecule

newest: ## unit tests and the marked integration tests on the newest ansible-core
	@$(NOX) -s newest -- $(PYTEST_OPTIONS)

oldest: ## the marked tests of plays and roles on the oldest ansible-core
	@$(NOX) -s oldest -- $(PYTEST_OPTIONS)

floor: ## what newest runs, with the modules on Python 3.9, requests 2.25 and msgpack 1.0
	@$(NOX) -s floor -- $(PYTEST_OPTIONS)

bench: ## speed beside curl and the consul CLI; BENCH_KEYS=n for more keys
	@$(NOX) -s bench

fleet: ## a hundred clusters, some broken, backed up and rehearsed; FLEET_SIZES=25,50,100
	@$(NOX) -s fleet

##@ Checks

.PHONY: check lint ruff mypy sanity docs importer
check: ## unit tests, lint and docs: before every commit, under two minutes
	@$(LOOK) $(CHECK)

lint: ## ruff, mypy, shellcheck, yamllint, and ansible-lint in its production profile
	@$(LOOK) $(LINT)

ruff: ## ruff alone
	@CI=true $(NOX) -s formatters

mypy: ## mypy alone
	@$(NOX) -s mypy

sanity: ## ansible-test sanity on both ansible-cores, with an empty ignore list
	@$(LOOK) sanity sanity-newest

docs: ## antsibull-docs over the documentation; ansible-doc shows every module, filter and role
	@$(NOX) -s docs

importer: ## what Galaxy checks when the artifact is uploaded
	@$(NOX) -s importer

##@ The rest

.PHONY: format build report-picture consul binaries clean distclean
format: ## format the code with ruff, and fix what ruff can fix
	@CI=false $(NOX) -s formatters

build: ## the artifact for Galaxy, into this directory
	@$(NOX) -s build

REPORT_PICTURES ?= report-pictures
report-picture: ## pictures of an example report, or of REPORT=path, into REPORT_PICTURES=directory
	@$(NOX) -s report-picture -- $(REPORT_PICTURES) $(REPORT)

consul: ## get both Consul binaries now: a build of minutes with Go, once
	@tools/binaries/get consul-1.22.7
	@tools/binaries/get consul-1.8.7

binaries: ## get all programs that tests use now: stores, age, a browser, promtool and Consul, minutes of building, once
	@tools/binaries/get all

clean: ## remove what was made from this checkout, in it and in the cache
	@tools/env/clean checkout

distclean: ## what all checkouts share, too: nox, downloads, environments of ansible-test (the Consul binaries stay)
	@tools/env/clean all
