.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test faults check docs sbom release-check bench bench-state bench-ownership bench-publications bench-names bench-replay bench-metrics bench-start fuzz lock stack deploy-tools deploy-check clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv with the locked dependencies and this package; instant when nothing changed

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@echo "setting up $(VENV) (once)" >&2
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Start a real Kafka and two replicas, feed 50,000 events, explain one suspension
	@$(BIN)/stream-enforcer demo

test: setup ## Run every test, those on the real Kafka included, in two processes
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup $(ARGS)

faults: setup ## Harm replicas, brokers, disks and network of a real three-broker cluster for 25 minutes; prints what was lost: nothing
	@$(BIN)/python -m tests.broker.faults $(ARGS)

check: setup ## Lint, formatting and types, of sources and tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: setup ## Build the documentation as a site, dist/docs/index.html, with every link checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict -f tools/docs_site/mkdocs.yml

sbom: setup ## Write the bill of materials of the locked dependencies, dist/sbom.cdx.json (CycloneDX)
	@$(BIN)/python -m tools.sbom dist/sbom.cdx.json

# The wheel is built from the source archive, as whoever gets only that one would.
release-check: sbom ## Build source archive and wheel into dist/, look through them, install and try them in a new environment
	@rm -f dist/*.whl dist/*.tar.gz
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --outdir dist . > /dev/null
	@$(BIN)/python -m twine check --strict dist/*.whl dist/*.tar.gz
	@cd dist && sha256sum *.whl *.tar.gz sbom.cdx.json | tee SHA256SUMS
	@$(BIN)/python -m pytest --deploy tests/deploy/test_release.py tests/deploy/test_release_install.py

bench: setup ## Measure events/s, latency and memory on a real Kafka; prints them and writes JSON
	@$(BIN)/python -m benchmarks.service $(ARGS)

bench-state: setup ## Measure how fast a partition's accounts are restored, and what they take in memory
	@$(BIN)/python -m benchmarks.state $(ARGS)

bench-ownership: setup ## Build a snapshot of a made world of companies, open it, ask it; ARGS="--help" for sizes
	@$(BIN)/python -m benchmarks.ownership $(ARGS)
	@$(BIN)/python -m benchmarks.takeover

bench-replay: setup ## Measure how fast history is judged again, by one policy and by two
	@$(BIN)/python -m benchmarks.replay $(ARGS)

bench-names: setup ## Measure how well and how fast names of organisations are told apart
	@$(BIN)/python -m benchmarks.names $(ARGS)

bench-publications: setup ## Read made LEI records and a register that speaks of half of them, and merge them into one snapshot
	@$(BIN)/python -m benchmarks.publications $(ARGS)

bench-metrics: setup ## Measure how soon /metrics answers with 200 partitions, and what counting costs
	@$(BIN)/python -m benchmarks.metrics $(ARGS)

bench-start: setup ## Measure how soon a replica without accounts is ready
	@$(BIN)/python -m benchmarks.start $(ARGS)

fuzz: setup ## Fuzz every decoder, guided by coverage; ARGS="--seconds 60 state" for one and a time
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	@$(BIN)/python -m tests.fuzz $(ARGS)

stack: setup ## Run what deploy/compose.yaml runs, without containers and Grafana, until Ctrl-C
	@$(BIN)/python -m tools.stack $(ARGS)

deploy-tools: setup ## Install what checks deploy/ into .tools/: helm, kustomize, hadolint and others; says what is missing
	@deploy/tools.sh $(BIN)/python

deploy-check: deploy-tools ## Check the image, the compose file, the chart and the manifests with the tools that are there
	@$(BIN)/python -m pytest --deploy tests/deploy $(ARGS)

lock: setup ## Resolve the dependencies again and pin them by hash
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --extra local --output-file requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --constraint requirements.lock --output-file requirements-dev.lock requirements-dev.in

clean: ## Remove .venv and what tools left behind
	@rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
