# From a fresh clone: `make serve` and `make test`.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

HOST ?= 127.0.0.1
PORT ?= 8000
URL ?= http://$(HOST):$(PORT)
DATA ?= auto
ARTIFACTS ?= artifacts
DATASETS ?= datasets
# The first supported version of these builds .venv; PYTHON=... chooses another.
PYTHONS = python3.11 python3.12 python3.13 python3
VENV := .venv
IN_VENV := $(VENV)/bin/python
MATINEE := $(VENV)/bin/matinee
# On a terminal pip shows its progress, in a log it is silent. Its warnings, such as of an index that lacks a
# package, say nothing that an error does not.
NO_WARNINGS := 2> >(grep -vE '^(WARNING|DEPRECATION): ' >&2)
PIP_INSTALL := -m pip --disable-pip-version-check install $(shell [ -t 2 ] || echo --quiet)
PIP := $(IN_VENV) $(PIP_INSTALL)
# A separate environment: its packages may need another NumPy.
BASELINES := .venv-baselines
BASELINES_PINS := requirements/baselines.txt
AUDIT := .venv-audit
REQUIREMENTS := requirements/dev.txt requirements/dataset.txt

.PHONY: help install install-baselines install-sasrec fit serve test test-slow test-docker test-browser test-ray pictures test-faults swaps test-hostile mutants audit check readme-figures docs-answers experiments training-speed tutorial-depth load-test scale any-data notebook format pins clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

install: $(VENV)/project ## build .venv, with the command .venv/bin/matinee

# The project itself, as it is in this directory. Its metadata name packages that the pins above chose.
$(VENV)/project: pyproject.toml client/pyproject.toml | $(VENV)/installed
	@$(PIP) --no-deps --no-build-isolation --editable . --editable client $(NO_WARNINGS) && touch $@

# The stamp is written last, so an interrupted install starts again.
$(VENV)/installed: $(REQUIREMENTS)
	@python=$$(for candidate in $(PYTHON) $(PYTHONS); do \
	  "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	    && { echo "$$candidate"; break; }; done); \
	if [ -z "$$python" ]; then \
	  echo "make: no Python 3.11, 3.12 or 3.13 found: install one, or name it with PYTHON=/path/to/python" >&2; exit 1; fi; \
	if ! command -v c++ >/dev/null && ! command -v g++ >/dev/null && ! command -v clang++ >/dev/null; then \
	  echo "make: no C++ compiler found, Annoy is built with one: install g++ (Debian and Ubuntu: apt-get install g++)" >&2; exit 1; fi; \
	echo "Install packages into $(VENV) ..."; started=$$SECONDS; \
	"$$python" -m venv --clear $(VENV) \
	  || { echo "make: $$python cannot make a virtual environment (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }; \
	$(PIP) -r requirements/dev.txt $(NO_WARNINGS) \
	  && $(PIP) --no-deps -r requirements/dataset.txt $(NO_WARNINGS) || exit 1; \
	echo "Install packages into $(VENV): $$((SECONDS - started)) s"; touch $@

install-baselines: $(BASELINES)/installed ## build .venv-baselines for `evaluate --baselines`: iALS and SVD

$(BASELINES)/installed: requirements/baselines.txt | $(VENV)/installed
	@echo "Install packages into $(BASELINES) ..."; started=$$SECONDS; \
	$(IN_VENV) -m venv --clear $(BASELINES) && $(BASELINES)/bin/python $(PIP_INSTALL) -r $(BASELINES_PINS) $(NO_WARNINGS) || exit 1; \
	echo "Install packages into $(BASELINES): $$((SECONDS - started)) s"; touch $@

# Instead of the above, in the same place.
install-sasrec: $(VENV)/installed ## the same with SASRec (gigabytes: PyTorch)
	@rm -f $(BASELINES)/installed && $(MAKE) --no-print-directory install-baselines BASELINES_PINS=requirements/sasrec.txt

fit: install ## train, measure and export a bundle (DATA=, ARTIFACTS=, FLAGS=)
	@$(MATINEE) fit --data '$(DATA)' --artifacts '$(ARTIFACTS)' $(FLAGS)

# --check reports a taken port before the minutes of training.
serve: install ## serve on http://HOST:PORT, after `make fit` where there is no bundle yet
	@$(MATINEE) serve --check --host '$(HOST)' --port '$(PORT)'
	@[ -f '$(ARTIFACTS)/CURRENT' ] || $(MAKE) --no-print-directory fit
	@MATINEE_LOG_FORMAT="$${MATINEE_LOG_FORMAT:-text}" \
	  exec $(MATINEE) serve --host '$(HOST)' --port '$(PORT)' --artifacts '$(ARTIFACTS)'

# A process for each core, but no more than memory has room for: each loads TensorFlow, about 1 GB.
test: install check ## lint, types, then every test that is not marked slow
	@$(IN_VENV) -m pytest -n logical --maxprocesses 4 --dist loadfile

check: install ## lint, types, and which module may import which
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(VENV)/bin/mypy

test-slow: install ## the tests on real data and those that take minutes
	@$(IN_VENV) -m pytest -m slow

test-faults: install ## the slow tests of faults: bad bundles, kills, full disks, overload
	@$(IN_VENV) -m pytest -m slow tests/service/test_bad_bundles.py tests/integration/test_faults_training.py tests/integration/test_faults_serving.py

swaps: install ## requests failed, latency and memory over 20 swaps under load (FLAGS='--page docs/operations.md')
	@$(IN_VENV) -m benchmarks.swaps --artifacts '$(ARTIFACTS)' $(FLAGS)

AXE := tests/browser/node_modules/installed

test-browser: install $(AXE) ## the page in headless Chromium, and in Firefox if it is there (CHROMIUM=, FIREFOX=/path/to/it)
	@{ if [ -n "$$CHROMIUM" ]; then command -v "$$CHROMIUM"; else command -v chromium-headless-shell || command -v chromium; fi; } >/dev/null \
	  || { echo "make: no Chromium found: install it (Debian: apt-get install chromium-headless-shell), or name it with CHROMIUM=" >&2; exit 1; }
	@$(IN_VENV) -m pytest -m browser tests/browser

pictures: install $(AXE) ## take the README's pictures of the page, with the live bundle in ARTIFACTS
	@PICTURES='$(CURDIR)/docs/images' PICTURES_OF="$$(realpath '$(ARTIFACTS)')" \
	  $(IN_VENV) -m pytest -m browser tests/browser/test_main_states.py

$(AXE): tests/browser/package-lock.json
	@command -v npm >/dev/null \
	  || { echo "make: npm not found, it installs axe-core: install it (Debian and Ubuntu: apt-get install npm)" >&2; exit 1; }
	@cd tests/browser && npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/installed

# Leaves only the images. Needs a Docker engine with Compose, prometheus and binutils (Debian and
# Ubuntu: apt-get install docker.io docker-compose prometheus binutils).
test-docker: install ## build the images and try the whole stack for real (minutes; gigabytes the first time)
	@for program in docker prometheus promtool objdump; do command -v $$program >/dev/null \
	  || { echo "make: test-docker needs $$program on the path" >&2; exit 1; }; done
	@$(IN_VENV) -m deploy.trial

# One process: its nodes need the processors. The service knows no Ray, as import-linter holds.
test-ray: install ## training, tuning and scoring on a cluster of Ray nodes on this machine, nodes killed too
	@$(IN_VENV) -m pytest -m ray tests/training

test-hostile: install ## 10,000 requests made from the OpenAPI document, and clients that are no clients
	@$(IN_VENV) -m pytest -m 'slow or not slow' tests/service/http/test_openapi.py tests/service/processes/test_hostile_connections.py

# Keeps its verdicts in mutants/, also after an interrupt: delete that after adding tests. One survivor:
# .venv/bin/mutmut show NAME. Some modules only: FLAGS="service.batching.lane*".
mutants: install ## the share of small faults in the request path and the metrics that tests find (FLAGS=)
	@MATINEE_MUTANTS=1 $(VENV)/bin/mutmut run $(FLAGS)
	@$(VENV)/bin/mutmut results --all true | awk '/__mutmut_/ && !/: not checked$$/ { \
	    module = $$1; sub(/\.x[^.]*$$/, "", module); verdict = $$0; sub(/.*: /, "", verdict); \
	    caught = verdict == "killed" || verdict == "timeout"; \
	    all[module]++; killed[module] += caught; all["all"]++; killed["all"] += caught } \
	  END { for (module in all) \
	    printf "%-45s %5d of %5d killed, %5.1f %%\n", module, killed[module], all[module], 100 * killed[module] / all[module] }' \
	  | sort

audit: $(AUDIT)/installed ## look the pinned packages up among known vulnerabilities (needs a network)
	@for file in service tracing training dev; do echo "requirements/$$file.txt:"; \
	  $(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps -r requirements/$$file.txt || exit 1; done

$(AUDIT)/installed: | $(VENV)/installed
	@$(IN_VENV) -m venv --clear $(AUDIT) && $(AUDIT)/bin/python $(PIP_INSTALL) pip-audit==2.10.1 $(NO_WARNINGS) \
	  && touch $@

# Includes iALS and SVD once `make install-baselines` has run, and SASRec after `make install-sasrec`.
EVALUATE_FOR_DOCS = $(MATINEE) evaluate --seeds 3 --artifacts '$(ARTIFACTS)' \
  $(if $(wildcard $(BASELINES)/installed),--baselines)

readme-figures: install ## measure with three seeds and write the tables of README and docs/evaluation.md
	@$(EVALUATE_FOR_DOCS) --split global --readme README.md
	@$(EVALUATE_FOR_DOCS) --split temporal --readme docs/evaluation.md
	@$(EVALUATE_FOR_DOCS) --split random --readme docs/evaluation.md
	@$(EVALUATE_FOR_DOCS) --split random --preset interpolation --readme docs/evaluation.md

experiments: install ## the published tutorials' models beside their figures (FLAGS=)
	@for what in depth multitask quickstart; do $(MATINEE) experiments $$what $(FLAGS) || exit 1; done

training-speed: install ## training rows per second beside TFRS's, which gets an environment of its own (FLAGS=)
	@$(IN_VENV) -m benchmarks.training_speed $(FLAGS)

tutorial-depth: install ## deep retrieval step by step and to its end beside TFRS's (hours; FLAGS=)
	@$(IN_VENV) -m benchmarks.tutorial_depth $(FLAGS)

load-test: install ## measure a running service (URL=, FLAGS=); JSON, plot and page go to load-test/
	@$(IN_VENV) -m benchmarks.load_test '$(URL)' --out load-test $(FLAGS)

scale: install ## time and memory of `fit` on 1, 5 and 25 million ratings and on a million movies (an hour; FLAGS='--only 25m')
	@$(IN_VENV) -m benchmarks.scale $(FLAGS)

any-data: install ## quality on the public data sets in DATASETS, see docs/quality_any_data.md (hours; FLAGS=)
	@$(IN_VENV) -m benchmarks.any_data '$(DATASETS)' --page docs/quality_any_data.md $(FLAGS)

docs-answers: install ## write the live bundle's answers into README and docs (ARTIFACTS=)
	@MATINEE_ARTIFACTS='$(ARTIFACTS)' PYTHONPATH=. $(IN_VENV) tests/documented_examples.py

notebook: install ## execute docs/notebook.ipynb again and keep its outputs
	@$(PIP) -r requirements/notebook.txt $(NO_WARNINGS)
	@$(IN_VENV) tests/documented_notebook.py

format: install ## put the code in its form
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

pins: ## compile requirements/*.in to exact versions (needs uv)
	@cd requirements && for file in service benchmarks usearch faiss storage tracing training ray ray-cluster dev notebook baselines sasrec tfrs serving/bentoml serving/litserve serving/mosec serving/ray; do \
	  uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header \
	    $$file.in -o $$file.txt || exit 1; done
# PyTorch pins its CUDA packages itself; its CPU build needs none.
	@cd requirements && sed -i.bak -E '/^(cuda-|nvidia-|triton=)/d' sasrec.txt && rm sasrec.txt.bak

clean: ## remove .venv, .venv-baselines, .venv-audit and caches; bundles stay
	@rm -rf $(VENV) $(BASELINES) $(AUDIT) mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
