# Each target sets up what it needs in .venv, once. `make` alone lists them.

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
# pytest ends with 5 when a mark selects no test yet.
NONE_IS_FINE := || test $$? -eq 5
# Two workers share one PostgreSQL; more where there are more cores.
WORKERS ?= 2
# They share the cores, so that linear algebra has one to itself in each.
test test-live test-scale: export OPENBLAS_NUM_THREADS ?= 1
.DEFAULT_GOAL := help
.PHONY: help demo env test lint test-live test-scale bench constraints contract reference site clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## A fictional company with five registers, from the sources to one view per client
	@.ci/environment core
	@.venv/bin/onefold demo $(ARGS)

env:  ## .venv with everything: Airflow, Spark, benchmarks, development
	@.ci/environment all

lint:  ## Style, types, and who may import whom
	@.ci/environment test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

test: lint  ## Everything on a real PostgreSQL, started for the run; what is skipped is printed
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not live and not scale" $(ARGS)

test-live:  ## Systems made by others, started by the tests; and the integration tests on Debian's PostgreSQL
	@.ci/debian-packages python3 live
	@.ci/environment test
	$(PYTEST) -m live $(ARGS) $(NONE_IS_FINE)
	$(PYTHON) -m tests.support.debian_postgres $(PYTEST) -n $(WORKERS) -m "not live and not scale" tests/integration

test-scale:  ## Long runs: many records, many seeds
	@.ci/environment all
	ONEFOLD_TEST_THOROUGH=1 $(PYTEST) -n $(WORKERS) --dist load -m "scale or searches" --timeout=7200 $(ARGS) $(NONE_IS_FINE)

bench:  ## Every benchmark; ARGS are theirs: --full --json (benchmarks/NAME.py --help tells more)
	@.ci/environment all
	$(PYTHON) benchmarks/run_all.py $(ARGS)

constraints:  ## Renew constraints.txt to the newest versions that fit together (needs uv)
	{ head -n 1 constraints.txt; uv pip compile pyproject.toml --all-extras --python-version 3.11 --quiet \
		--no-header --no-annotate --no-emit-index-url --upgrade; } > constraints.new
	mv constraints.new constraints.txt

contract:  ## Write docs/contract/onefold_v1.yaml anew after views or columns were appended
	@.ci/environment test
	$(PYTHON) -m tests.support.contract

reference:  ## Write docs/schemas, docs/reference and docs/pictures anew after the command line, errors or configuration models changed
	@.ci/environment test
	$(PYTHON) -m onefold.configuration.schemas
	$(PYTHON) -m tests.support.reference
	$(PYTHON) -m tests.support.pictures

site:  ## The documentation as a site that opens without a network: build/site/index.html
	@.ci/environment test
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
	@echo "open build/site/index.html"

clean:  ## Remove what was built and cached; .venv and the data in var/ stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
