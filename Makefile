# `make demo` to see the shop, `make test` to test it, `make check` for all that CI runs. All is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
# Test files run beside each other: most of their time they wait for a server, a browser or a disk.
TESTERS ?= 4
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
# uv is quick; where it cannot reach an index, pip does the same.
install = $(BIN)/uv pip install --quiet --require-hashes -r $(1) 2>/dev/null || $(BIN)/pip install --quiet --require-hashes -r $(1)

# The same, into another environment: $(1) is its Python.
install_into = $(BIN)/uv pip install --quiet --compile-bytecode --python $(1) --require-hashes -r $(2) 2>/dev/null || \
	$(BIN)/pip --python $(1) install --quiet --require-hashes -r $(2)

.PHONY: demo test check bench drills drills-short fuzz nodes nightly docs pythons screenshots release messages fmt format-check lint types contracts tests tools lock clean

demo: .venv/.shop
	@$(BIN)/coatcheck demo

# For people: minutes, without root. What is missing is skipped, with the command that installs it.
test: .venv/.dev
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "not long"

check: format-check lint types contracts tests

tests: tools
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

# The unit tests under each Python from 3.11 to 3.14 that is on PATH or in pyenv; says which were not found.
pythons: .venv/.dev
	@PYTHONPATH=. $(BIN)/python -m testkit.pythons $(TESTERS)

nightly: tools
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest

# The pictures of the README and the docs, and of every page in every look.
screenshots: tools
	@SCREENSHOTS=.tools/screenshots $(BIN)/python -m pytest -q tests/integration/test_browser.py
	@mkdir -p docs/screenshots && cd .tools/screenshots && cp shop-light.png product-dark.png view-phone.png library-light.png ../../docs/screenshots/
	@PYTHONPATH=src:tests:. $(BIN)/python -m testkit.animation
	@PYTHONPATH=src:tests:. $(BIN)/python -m testkit.office_pictures .tools/screenshots/office

bench: tools
	@PYTHONPATH=src:tests:. $(BIN)/python -m bench.speed

# A million mutated requests, 50,000 cases of schemathesis, 20,000 malformed requests over the wire: half an hour.
fuzz: tools
	@PYTHONPATH=src:tests:. $(BIN)/python -m bench.fuzz

# Two hours and more: 200 kills, 200 power cuts, 20 failovers, ten minutes of every fault of Stripe and the mail service.
drills: tools
	@PYTHONPATH=src:tests:. $(BIN)/python -m bench.drills --json .tools/drills.json

# The short form, which runs with the tests, too.
drills-short: tools
	@PYTHONPATH=src:tests:. $(BIN)/python -m bench.drills --short --json .tools/drills.json

# 20,000 sales over three nodes behind HAProxy, audited: a quarter of an hour. Then the throughput of one to three.
nodes: tools
	@PYTHONPATH=src:tests:. $(BIN)/python -m bench.drills.many_nodes

# What people install: a wheel and the sources, in dist/, and what the wheel depends on, with licences (CycloneDX).
# The list is read off an environment that holds the locked packages and nothing else.
release: .venv/.dev
	@$(BIN)/python -m hatchling build -t sdist -t wheel
	@rm -rf .tools/release && mkdir -p .tools && $(BIN)/python -m venv --without-pip .tools/release
	@$(call install_into,.tools/release/bin/python,requirements-wheel.txt)
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		-o dist/coatcheck-$$($(BIN)/python -m hatchling version).cdx.json .tools/release/bin/python

# The documentation as a site, in .tools/site: docs/ and README.md, with every link checked.
docs: .venv/.dev
	@PYTHONPATH=. $(BIN)/python -m testkit.docs

# Every sentence of pages and emails into the catalogues of all languages; LANGUAGE=pt begins another one.
messages: .venv/.dev
	@PYTHONPATH=src:tests:. $(BIN)/python -m testkit.messages $(LANGUAGE)

fmt: .venv/.dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

format-check: .venv/.dev
	@$(BIN)/ruff format --check --quiet . || { echo "run: make fmt"; exit 1; }

lint: .venv/.dev
	@$(BIN)/ruff check --quiet .

types: .venv/.dev
	@$(BIN)/mypy --no-error-summary src/domain src/adapters src/entrypoints

contracts: .venv/.dev
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

# What the tests need besides Python packages: lists it, and installs what is missing.
tools: .venv/.dev
	@$(BIN)/python testkit/bring.py

lock: .venv/.shop
	@$(LOCK) pyproject.toml --group build --group dev -o requirements-dev.txt
	@$(LOCK) pyproject.toml --group build -c requirements-dev.txt -o requirements.txt
	@$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements-wheel.txt
	@$(LOCK) --group build -c requirements-dev.txt -o requirements-build.txt
	@for extra in postgres s3 telemetry; do \
		$(LOCK) pyproject.toml --group build --extra $$extra -c requirements-dev.txt -o requirements-$$extra.txt || exit 1; done
	@echo uv | $(LOCK) - -o requirements-uv.txt

.venv/.shop: requirements-uv.txt requirements.txt pyproject.toml
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(call install,requirements.txt)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.shop requirements-dev.txt
	@$(call install,requirements-dev.txt)
	@touch $@

clean:
	@rm -rf .venv .tools .coatcheck-demo* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache
