# `make help` lists the targets. Set-up is done once: the stamps below are newer than what they stand for.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv/bin
CATALOGUES := $(wildcard amana/locale/*/LC_MESSAGES/amana.po)

.NOTPARALLEL:
.PHONY: help setup setup-run run demo drill-crash drill-clear drill-large test nightly lint fix bench docs vectors screens wheels locks clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup-run ## set up what the programs need, take material through every zone, stay up
	@$(VENV)/python examples/trip.py --stay

demo: setup-run ## the same trip, and exit
	@$(VENV)/python examples/trip.py

drill-crash: setup ## kill programs at random and see that nothing is lost (N=40 SEED=1)
	@$(VENV)/python -m drills.crash --kills $(or $(N),40) $(if $(SEED),--seed $(SEED))

drill-clear: setup ## a whole trip under watch: no clear byte on any disk
	@$(VENV)/python -m drills.clear_bytes

drill-large: setup ## 3 GiB by command line and 1 GiB by form: flat memory
	@$(VENV)/python -m drills.large

setup: .venv/stamp-test .venv/stamp-catalogues ## set up everything, also what `make test` needs

setup-run: .venv/stamp-run .venv/stamp-catalogues

test: setup ## everything that CI checks (T=PATH: only those tests)
	@$(VENV)/python scripts/test.py $(T)

nightly: setup ## the same, with the slow tests and many more examples
	@HYPOTHESIS_PROFILE=nightly $(VENV)/python scripts/test.py --nightly

lint: setup ## style, format, types and import contracts only
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check --quiet
	@$(VENV)/mypy
	@$(VENV)/lint-imports --no-cache --no-logo

fix: setup ## what the style tools can mend by themselves
	@$(VENV)/ruff check --fix
	@$(VENV)/ruff format

bench: setup ## measure; figures never gate a test
	@for file in bench/*.py; do echo "== $$file"; $(VENV)/python $$file || exit 1; done

docs: setup ## make the pages that are made from code
	@$(VENV)/python scripts/docs.py

vectors: setup ## make the test vectors again; what is deterministic must not change
	@for file in tests/vectors/make_*.py; do echo "== $$file"; $(VENV)/python $$file || exit 1; done

screens: setup ## pictures of every page, ar and en, narrow and wide, into var/screens/
	@$(VENV)/python scripts/screens.py

wheels: setup-run ## build one wheel per zone into dist/
	@$(VENV)/python deploy/wheels.py

locks: setup ## make the locks again (U=--upgrade: with the newest versions)
	@$(VENV)/python scripts/locks.py $(U)

clean: ## remove everything that was made here, the virtual environment too
	rm -rf .venv build dist var .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/js/node_modules
	find amana -name '*.mo' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/stamp-run: pyproject.toml requirements/run.lock requirements/setup.lock scripts/setup.py
	@$(PYTHON) scripts/setup.py run
	@touch $@

.venv/stamp-test: pyproject.toml requirements/dev.lock requirements/setup.lock scripts/setup.py tests/js/package-lock.json
	@$(PYTHON) scripts/setup.py test
	@touch $@ .venv/stamp-run

.venv/stamp-catalogues: $(CATALOGUES) deploy/catalogues.py | .venv/stamp-run
	@$(VENV)/python deploy/catalogues.py > /dev/null
	@touch $@
