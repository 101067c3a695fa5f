# Every command a person needs. Each does its own set-up; what is there is not made again.

PYTHON ?= python3
PORT ?= 8787
DEMO_PORT ?= 8788
PIPEDRIVE_PORT ?= 8789

# Files are dealt out whole: what a module starts, it starts once.
IN_PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

BIN := .venv/bin
NODE_BIN := node_modules/.bin

.PHONY: help dev test check quick unit worker browser conformance bench browserbench costbench recoverybench rehearse chaos soak release build set-up format audit deploy clean
.DEFAULT_GOAL := help

help: ## Says what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

dev: build ## Runs everything on this machine: the Worker, a demo site, a simulated Pipedrive
	@$(BIN)/python tools/dev.py \
	  --port $(PORT) --demo-port $(DEMO_PORT) --pipedrive-port $(PIPEDRIVE_PORT)

test: check ## Installs what is missing and runs every check and test
	@$(BIN)/python tools/browser.py
	@$(BIN)/python tools/local_config.py
	@$(BIN)/python tools/run_tests.py $(IN_PARALLEL)

check: build ## Lint, format and types only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@PATH="$(CURDIR)/$(NODE_BIN):$$PATH" biome ci --error-on-warnings
	@PATH="$(CURDIR)/$(NODE_BIN):$$PATH" tsc
	@$(BIN)/python tools/ad_block.py
	@$(BIN)/python tools/secret_scan.py

quick: check ## Lint, format, types and the tests of the services: while you write
	@$(BIN)/pytest -q $(IN_PARALLEL) tests/unit

unit: build ## Tests of the services, the tools and the commands only
	@$(BIN)/pytest tests/unit tests/tools tests/ops

worker: build ## Worker tests in real workerd only
	@$(BIN)/pytest tests/worker

browser: build ## The browser tests only
	@$(BIN)/python tools/browser.py
	@$(BIN)/pytest tests/browser

conformance: build ## Every way to send a form, in three browser engines; prints the table
	@$(BIN)/python tools/browser.py
	@$(BIN)/pytest -q tests/conformance

bench: build ## Throughput and latency beside a minimal JavaScript Worker
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python bench/tracking.py $(ARGS)

costbench: build ## What a month costs at Cloudflare's list prices, from counted operations
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python -m bench.cost

recoverybench: build ## How long a deleted database with a million events takes to be there again
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python bench/recovery.py

browserbench: build ## What the pixel costs the main thread of a slow computer
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python bench/main_thread.py

rehearse: build ## Plays a production's life with the real wrangler, on a stand-in for Cloudflare
	@$(BIN)/python tools/rehearsal $(ARGS)

chaos: build ## Bad weather over the real runtime; ARGS="--minutes 60" for a long one
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python -m tests.chaos $(ARGS)

soak: build ## An hour of mixed traffic: memory and latency stay; ARGS="--minutes 5" for less
	@PYTHONPATH=.:src:tools:python_modules $(BIN)/python -m tests.chaos.soak_command $(ARGS)

release: build ## Keeps this version of the pixel for ever: a change of it needs a new version
	@PYTHONPATH=src $(BIN)/python tools/build_assets.py --release

format: build ## Formats everything
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix-only
	@PATH="$(CURDIR)/$(NODE_BIN):$$PATH" biome check --write

audit: build ## Known vulnerabilities of all packages; asks osv.dev and the npm registry
	@$(BIN)/uv audit --frozen
	@npm audit --package-lock-only

deploy: test release ## Deploys production with ./ppp deploy, after all tests (see the README)
	@./ppp deploy --env production $(ARGS)

clean: ## Removes all that was made here, the local database included
	rm -rf .venv node_modules python_modules src/generated build .cache .wrangler wrangler.local.json

# ---- set-up, by file ---------------------------------------------------------------------------

# Two commands at once would install into the same folders: the second one waits.
build: ## Vendors the packages and builds the assets
	@$(PYTHON) tools/set_up.py $(MAKE) --no-print-directory set-up

# What of the source is new is found by its content, in a moment.
set-up: .cache/vendored .cache/sources build/assets/_headers build/sbom-worker.cdx.json
	@$(BIN)/python tools/worker_source.py

.cache/host: tools/check_host.py
	@$(PYTHON) tools/check_host.py
	@mkdir -p .cache && touch $@

.venv/ready: uv.lock tools/prepare_venv.py | .cache/host
	@echo "setting up Python (.venv)"
	@$(PYTHON) tools/prepare_venv.py
	@touch $@

# Not `npm ci`: it insists on the binaries of every platform, and the lock file has only those that
# the registry had when it was made. `install --no-save` keeps to the lock and writes nothing.
node_modules/ready: package-lock.json package.json | .cache/host
	@echo "setting up Node (node_modules)"
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

.cache/vendored: uv.lock tools/vendor.py tools/strip_source.py src/services/access/bot_rules.py .venv/ready
	@echo "vendoring the Worker's packages (python_modules)"
	@PYTHONPATH=src $(BIN)/python tools/vendor.py
	@touch $@

# What ships, with its hashes; `uv export` without --no-dev has the tools, too.
build/sbom-worker.cdx.json: uv.lock .venv/ready
	@mkdir -p build
	@$(BIN)/uv export --quiet --frozen --no-dev --format cyclonedx1.5 --output-file $@ >/dev/null

.cache/sources: tools/traffic_sources.py src/services/reports/traffic_sources.py .venv/ready node_modules/ready
	@$(BIN)/python tools/traffic_sources.py --check
	@touch $@

build/assets/_headers: $(wildcard static/* static/releases/*) pyproject.toml src/security_headers.py tools/build_assets.py tools/minify.mjs tools/openapi.py tools/api_page.py tools/api_page.html .venv/ready node_modules/ready
	@PYTHONPATH=src $(BIN)/python tools/build_assets.py
