# All commands of this project. CI runs six of them (.ci/run).

PYTHON ?= python3
UV := .uv/bin/uv
UV_STAMP := .uv/.ready
BIN := .venv/bin
READY := .venv/.ready
CLIENTS := .clients/venv/.ready
BROWSER := .browser/venv/.ready
PEERS := .bench/peers/venv/.ready
AUDIT := .audit/venv/.ready
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --universal \
	--python-version 3.12 --no-header
T ?=
UPGRADE ?=
EXAMPLES ?= 100
PEOPLE ?=
COMMIT ?= 99db9a7
REV ?=
DATABASES ?= sqlite,postgresql
ROUNDS ?= 5
EACH ?= 2
GROWTH ?= 100000
PAGE ?= --page
REQUESTS ?= STPIW
WHAT ?= submit
ON ?= sqlite
KILLS ?= 100
DATABASE ?= sqlite
SEED ?=
SEEDS ?=
STATES ?=
M ?=
FRESH ?=
FAULTS ?= 40
KEEP ?=
TARGETS ?= test test-all
# The seed that selects a sample of the tests. It differs for each commit.
DRAWN := $(or $(SEED),$(shell printf '%d' 0x0$$(git rev-parse --short=7 HEAD 2>/dev/null)))
# The tests that test-fast runs unless T names others.
FAST_TESTS := tests/rules tests/contract tests/examples tests/api
PYTEST = $(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder \
	--seed $(DRAWN) --hypothesis-seed $(DRAWN)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Without bytecode files each process would compile 400 files again.
unexport PYTHONDONTWRITEBYTECODE
# Trust the certificates that the machine trusts, as pip does. Some networks inspect TLS.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: pooler help setup run check test test-all test-cells test-fast test-older test-elsewhere statements guards console-measure slow soak nightly clients lint \
	squawk rehearse format hooks \
	bench bench-against bench-growth bench-instructions bench-peers bench-smoke profile torture simulate twins explore compare-answers compare-requests failpoints drill outage runbook browser browser-journeys screenshots fuzz fuzz-api mutate plant coverage assurance \
	audit sbom migrate examples messages openapi breaking docs lock

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(READY) $(AUDIT) ## Install requirements/dev.txt into .venv, and pip-audit into .audit

run: $(READY) ## Serve a demonstration on SQLite, and print API keys and a first request
	$(BIN)/safe-conduct demo serve

check: lint test-all bench-smoke $(AUDIT) ## Run lint, all tests, and checks of generated files, the contract and pins
	$(BIN)/safe-conduct openapi --check
	$(BIN)/python scripts/breaking.py
	$(BIN)/safe-conduct docs --check
	$(BIN)/python scripts/check_tzdata.py
	$(BIN)/python scripts/audit.py --changed

test: $(READY) $(AUDIT) ## Run the tests, with a sample of the sweeps (SEED=1), in six minutes; or all of T=tests/rules
	$(PYTEST) $(if $(T),--all-cells,--effort sample) $(T)

test-all: $(READY) $(AUDIT) ## Run every test as CI does, each cell on SQLite or PostgreSQL, and a tenth of the sweeps
	$(PYTEST) --effort all --statements check

test-cells: $(READY) $(AUDIT) ## Run every cell of every test on SQLite and on PostgreSQL, in half an hour
	$(PYTEST) --all-cells --statements check

test-fast: $(READY) ## Run the tests of rules, contract and API on SQLite, in under a minute
	$(PYTEST) --effort fast --databases sqlite $(or $(T),$(FAST_TESTS))

test-elsewhere: $(UV_STAMP) ## Test the last commit in minimal Debian roots with different tzdata: ZONES=UTC; needs root
	$(PYTHON) scripts/elsewhere.py $(TARGETS) $(if $(ZONES),--time-zones $(ZONES))

statements: $(READY) ## Record which tests issue each SQL statement on PostgreSQL
	$(PYTEST) --effort all --databases postgresql --statements write tests/api

guards: $(READY) ## Write the guards of the migrations, which the service compares at its start
	$(BIN)/python -W ignore -m tests.support.guard_file

console-measure: $(READY) ## Measure what pages of the console cost, relative to their requests
	$(BIN)/pytest -q --effort night --timeout 0 --databases $(DATABASE) tests/console/cost_of_pages.py

slow: $(READY) ## Measure the tests that are too slow for test-fast; writes tests/support/slow.txt
	$(BIN)/python -m pytest -q -p no:xdist -p tests.support.slow_list -m 'not slow' \
		--effort fast --databases sqlite

soak: $(READY) ## Run the long tests in full
	$(BIN)/pytest -n auto --effort night --timeout 0 -m soak $(T)

nightly: ## Run all tests, long runs, 2,000 new seeds, fuzzing, mutation and audit, for hours
	$(MAKE) --keep-going audit test-cells soak simulate twins explore rewrap-torture fuzz mutate \
		SEED=$(or $(SEED),$(shell date +%s)) SEEDS=$(or $(SEEDS),2000) STATES=$(or $(STATES),5000) KEEP=--keep

failpoints: $(READY) ## Make each statement of each write fail in turn: DATABASE=sqlite or postgresql
	$(BIN)/pytest -v -p no:xdist --effort night --timeout 0 --databases $(DATABASE) tests/databases/test_failpoints.py
	@cat .torture/failpoints-$(DATABASE).json

drill: $(READY) ## Lose a database under load and restore it: DATABASE=sqlite, postgresql-backup or postgresql
	$(BIN)/python -W ignore -m tests.processes.drill $(DATABASE)

outage: $(READY) ## Stop the worker, the database and a process behind HAProxy, which is installed from Debian: SECONDS=60
	$(BIN)/python -W ignore -m tests.processes.outage $(or $(SECONDS),60)

runbook: $(READY) ## Carry out the commands of the pages on SQLite and on PostgreSQL 17 (from Debian), 18, and 15 if it is installed
	$(BIN)/pytest -v -p no:xdist --effort night --timeout 0 -s tests/processes/test_runbook.py \
		tests/processes/old_releases.py

test-older: $(READY) ## Run the API tests of an older commit on the tables of this one: COMMIT=99db9a7
	$(BIN)/python scripts/test_older.py $(COMMIT)

pooler: $(READY) ## Test the service behind PgBouncer in transaction mode; installs it from Debian
	$(BIN)/python -W ignore -m tests.pooler

torture: $(READY) ## Kill the service under load, and check its data: KILLS=100 DATABASE=sqlite SEED=1
	$(BIN)/python -W ignore -m tests.torture --database $(DATABASE) --kills $(KILLS) $(if $(SEED),--seed $(SEED))

rewrap-torture: $(READY) ## Kill `key rewrap` of many cases under load: CASES=100000 KILLS=20 SEED=1
	$(BIN)/python -W ignore -m tests.torture.rewrapping --cases $(or $(CASES),100000) \
		$(if $(filter command line,$(origin KILLS)),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

simulate: $(READY) ## Simulate the service with one seed, SEED=17, or many on all cores, SEEDS=2000
	$(BIN)/python -W ignore -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(KEEP)

twins: $(READY) ## Compare what offices observe in twin worlds: SEEDS=2000 DATABASE=sqlite, or SEED=17
	$(BIN)/python -W ignore -m tests.twins --database $(DATABASE) $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS))

explore: $(READY) ## Search for states of a case without a possible action: STATES=1000 SEED=1
	$(BIN)/python -W ignore -m tests.exploration $(if $(SEED),--seed $(SEED)) $(if $(STATES),--states $(STATES))

compare-answers: $(READY) ## Compare the answers in tests with those of another commit: REV=main TESTS=tests/api
	$(BIN)/python -W ignore scripts/compare_answers.py $(or $(REV),$(error give REV=)) $(TESTS)

compare-requests: $(READY) ## Compare the answers to random requests with another commit: REV=main REQUESTS=100000
	$(BIN)/python -W ignore -m tests.differential $(or $(REV),$(error give REV=)) --database $(DATABASE) \
		--requests $(if $(filter-out STPIW,$(REQUESTS)),$(REQUESTS),100000) $(if $(SEED),--seed $(SEED))

fuzz-api: $(READY) ## Run Schemathesis with all checks on a real server: EXAMPLES=100 PEOPLE=lead,officer
	$(BIN)/python -W ignore -m tests.support.fuzzing $(EXAMPLES) $(PEOPLE)

fuzz: ## Run fuzz-api with 2,000 examples for each operation, which takes a night
	$(MAKE) fuzz-api EXAMPLES=2000

mutate: $(READY) ## Change the listed modules, and check that tests notice: M=vault FRESH=1
	$(BIN)/python scripts/mutate.py $(if $(FRESH),--fresh) $(M)

plant: $(READY) ## Plant one-line faults, and count those that the tests notice: FAULTS=40 SEED=20
	$(BIN)/python scripts/plant_faults.py --faults $(FAULTS) --seed $(or $(SEED),20)

coverage: $(READY) ## Measure branch coverage; fails below 95 %, or 100 % of the listed modules
	$(BIN)/python scripts/coverage_report.py $(T)

clients: $(READY) $(CLIENTS) ## Generate five clients, and play the same steps with each; installs Go from Debian
	$(BIN)/python -W ignore -m tests.clients

browser: $(READY) $(BROWSER) ## Test the console in Chromium, which is installed from Debian: T=tests/browser/test_pages.py
	$(BIN)/python -m tests.browser $(T)

browser-journeys: $(READY) $(BROWSER) ## Play the journeys of the demonstration in Chromium, by people with passkeys
	$(BIN)/python -m tests.browser tests/browser/journeys

screenshots: $(READY) $(BROWSER) ## Take the pictures of docs/console.md anew
	$(BIN)/python -m tests.browser tests/browser/test_pictures.py --write-pictures

bench: $(READY) ## Measure this tree relative to a lower bound; writes docs/performance.md
	$(BIN)/python -W ignore -m tests.bench run --databases $(DATABASES) --rounds $(ROUNDS) \
		--seconds $(EACH) --requests $(REQUESTS) $(PAGE)

bench-against: $(READY) ## Compare the CPU time of requests with another commit: REV=main REQUESTS=PIW DATABASES=sqlite
	$(BIN)/python -W ignore -m tests.bench against $(or $(REV),$(error give REV=)) \
		--databases $(DATABASES) --rounds $(ROUNDS) --seconds $(EACH) --requests $(REQUESTS)

bench-instructions: $(READY) ## Compare the instructions of requests with another commit, by Valgrind: REV=main REQUESTS=STPIW
	$(BIN)/python -W ignore -m tests.bench instructions $(or $(REV),$(error give REV=)) \
		--databases $(DATABASES) --requests $(REQUESTS)

bench-growth: $(READY) ## Compare the cost of requests with many cases and ten thousand: GROWTH=1000000
	$(BIN)/python -W ignore -m tests.bench growth --databases $(DATABASES) --rounds $(ROUNDS) \
		--seconds $(EACH) --requests $(REQUESTS) --cases $(GROWTH) $(PAGE)

bench-peers: $(READY) $(PEERS) ## Compare the cost of requests with a service on Django REST framework: DATABASES=sqlite
	$(BIN)/python -W ignore -m tests.bench peers --databases $(DATABASES) --rounds $(ROUNDS) \
		--seconds $(EACH) $(PAGE)

bench-smoke: $(READY) ## Fail if requests cost far more CPU, relative to the lower bound, than before
	$(BIN)/python -W ignore -m tests.bench smoke

profile: $(READY) ## Profile the product: WHAT=submit, action, poll, 'idle poll' or worklist
	$(BIN)/python -W ignore -m tests.bench profile "$(WHAT)" --database $(ON)

assurance: $(READY) ## Write the results of the long runs into docs/assurance.md
	$(BIN)/python -m tests.support.assurance

audit: $(READY) $(AUDIT) ## Check all pins for known vulnerabilities
	$(BIN)/python scripts/audit.py

sbom: $(READY) ## Write the components of an installation to build/sbom.cdx.json (CycloneDX)
	$(BIN)/python scripts/sbom.py

lint: $(READY) squawk ## Check format, lint, types, imports, commit messages, and the locks of migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_commits.py

squawk: $(READY) ## Lint the SQL of each migration on PostgreSQL
	$(BIN)/python scripts/lint_migrations.py

rehearse: $(READY) ## Build the image without Docker, and run it; needs root
	$(BIN)/python scripts/rehearse.py

format: $(READY) ## Format the code, and apply the fixes of ruff
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(READY) ## Install git hooks that lint each commit
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type commit-msg

migrate: $(READY) ## Apply all migrations to the database of SAFE_CONDUCT_*
	$(BIN)/safe-conduct migrate

messages: $(READY) ## Update the catalogues of the console's texts, which are then translated
	$(BIN)/python scripts/update_messages.py

openapi: $(READY) ## Write openapi/ from the code
	$(BIN)/safe-conduct openapi

examples: $(READY) ## Play the examples of all operations, and record the answers; then make openapi
	$(BIN)/python -W ignore -m tests.support.example_files

breaking: $(READY) ## Report breaking changes of the contract since the last release, or REV=HEAD~20
	$(BIN)/python scripts/breaking.py "$(REV)"

docs: $(READY) ## Generate the pages of docs/: life cycles, events, problems, settings
	$(BIN)/safe-conduct docs

lock: $(UV_STAMP) ## Pin the dependencies of pyproject.toml; with newer versions: UPGRADE=--upgrade
	$(COMPILE) $(UPGRADE) --extra postgres --group dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --extra postgres pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) $(UPGRADE) --group build -o requirements/build.txt
	$(COMPILE) $(UPGRADE) --group uv -o requirements/uv.txt
	$(COMPILE) $(UPGRADE) --group clients -o requirements/clients.txt
	$(COMPILE) $(UPGRADE) --group browser -o requirements/browser.txt
	$(COMPILE) $(UPGRADE) --group peers -o requirements/peers.txt
	$(COMPILE) $(UPGRADE) --group audit -o requirements/audit.txt

$(AUDIT): requirements/audit.txt $(UV_STAMP)
	test -x .audit/venv/bin/python || $(UV) venv --quiet --python '>=3.12' .audit/venv
	$(UV) pip sync --quiet --python .audit/venv/bin/python --require-hashes requirements/audit.txt
	@touch $@

$(PEERS): requirements/peers.txt $(UV_STAMP)
	test -x .bench/peers/venv/bin/python || $(UV) venv --quiet --python '>=3.12' .bench/peers/venv
	$(UV) pip sync --quiet --compile-bytecode --python .bench/peers/venv/bin/python --require-hashes requirements/peers.txt
	@touch $@

$(CLIENTS): requirements/clients.txt $(UV_STAMP)
	test -x .clients/venv/bin/python || $(UV) venv --quiet --python '>=3.12' .clients/venv
	$(UV) pip sync --quiet --python .clients/venv/bin/python --require-hashes requirements/clients.txt
	@touch $@

$(BROWSER): requirements/browser.txt $(UV_STAMP)
	test -x .browser/venv/bin/python || $(UV) venv --quiet --python '>=3.12' .browser/venv
	$(UV) pip sync --quiet --compile-bytecode --python .browser/venv/bin/python --require-hashes requirements/browser.txt
	@touch $@

$(READY): requirements/dev.txt requirements/build.txt pyproject.toml $(UV_STAMP)
	test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.12' .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps \
		--build-constraints requirements/build.txt -e .
	@touch $@

$(UV_STAMP): requirements/uv.txt
	@command -v $(PYTHON) > /dev/null || { \
		echo "$(PYTHON) is missing. On Debian: apt-get install python3 python3-venv"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "$(PYTHON) cannot create a virtual environment. On Debian: apt-get install python3-venv"; exit 1; } >&2
	$(PYTHON) -m venv --clear .uv
	.uv/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@
