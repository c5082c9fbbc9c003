# make run    everything up: services, migrations, demo, web, workers, scheduler; Ctrl-C stops it all
# make test   everything that CI checks
# make airtable   Airtable's stand-in on loopback, to sync from by hand
# make soak   the fault tests with more kills and rounds and with production's lease, and far more examples: takes long
.PHONY: setup run test lint types contracts schema template unit faults soak e2e bench airtable lock clean

# Hundreds of processes are started by the tests: without compiled modules each would spend seconds on compiling them.
export PYTHONDONTWRITEBYTECODE :=

PYTHON_IN_VENV := .venv/bin/python
MANAGE := $(PYTHON_IN_VENV) manage.py
# Enough to load production's settings; nothing connects to these.
PRODUCTION := DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=plumbline.example \
	SITE_URL=https://plumbline.example DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
	SECRET_KEY=only-here-to-check-the-settings-0123456789-abcdefghijklmnopqrstuvwxyz

setup:
	@PYTHON="$(PYTHON)" sh .ci/setup

run: setup
	@exec $(PYTHON_IN_VENV) -m config.supervisor

# The checks use one processor each: two at a time, while migrating prepares the database for the tests. The browser tests
# come last, in a run of their own: Playwright's loop and pytest-asyncio's do not share a process.
test: setup
	@$(MAKE) --no-print-directory -j 2 types template lint contracts schema
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory faults
	@$(MAKE) --no-print-directory e2e

lint: setup
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: setup
	@.venv/bin/mypy .

contracts: setup
	@.venv/bin/lint-imports

schema: setup
	@$(MANAGE) makemigrations --check --dry-run
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	@$(MANAGE) spectacular --fail-on-warn --validate --file /dev/null

template: setup
	@$(PYTHON_IN_VENV) -m tests.template

unit: setup
	@$(PYTHON_IN_VENV) -m pytest -n 2 --ignore=tests/e2e --ignore=tests/faults

# Each of the two has servers of its own to stop; much of it is waiting.
faults: setup
	@$(PYTHON_IN_VENV) -m pytest -n 2 tests/faults

soak: setup
	@PLUMBLINE_SOAK=1 $(PYTHON_IN_VENV) -m pytest -p no:xdist -o faulthandler_timeout=0 tests/faults tests/platform/test_schema.py \
		tests/jobs/test_limits_model.py

e2e: setup
	@$(PYTHON_IN_VENV) -m pytest -p no:xdist -p no:asyncio tests/e2e

bench: setup
	@$(PYTHON_IN_VENV) -m benchmarks

airtable: setup
	@exec $(PYTHON_IN_VENV) -m tests.standins.airtable

# Universal: one lock for Linux and macOS, for every Python from 3.11 on.
lock:
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 -o requirements.txt requirements.in
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 -o requirements-dev.txt requirements-dev.in

# Keeps var/: that is data.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles test-results
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
