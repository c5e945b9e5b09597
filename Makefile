# make demo   repair the shipped buggy programs (runs/demo), then the whole method (make method)
# make method a small model fails, learns from its own failures, and is measured (runs/method)
# make test   the fast tests            make check  everything that CI holds
# make bench  speed and security against the peers (downloads them)
# make train  set up what models are sampled and trained with (torch, about 1 GB)
# make docs   write the generated page docs/cli.md anew
#
# Each target sets up .venv by itself; a stamp file makes that instant from the second time on.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin
DATA := $(or $(SELFDEBUG_DATA),../shared/data)

.PHONY: demo method test check bench train docs
.DELETE_ON_ERROR:

demo: .venv/core.stamp
	$(BIN)/selfdebug eval demo --backend search --out runs/demo
	@echo "The report: runs/demo/report.html"
	@if [ -d "$(DATA)/humanevalpack" ]; then \
		echo "HumanEvalPack is here. Its 164 + 164 real bugs, the same way:"; \
		echo "  $(BIN)/selfdebug eval humanevalpack --backend search --out runs/humanevalpack"; \
	fi
	@$(MAKE) --no-print-directory method

method: .venv/train.stamp
	SELFDEBUG=$(BIN)/selfdebug bash recipes/embedded_demo.sh runs/method
	@echo "The comparison: runs/method/report.html"

test: .venv/dev.stamp
	$(BIN)/pytest

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python docs/generate.py --check
	$(BIN)/pytest -m "slow or not slow"

bench: .venv/bench.stamp
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

train: .venv/train.stamp

docs: .venv/dev.stamp
	$(BIN)/python docs/generate.py

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "selfdebug needs Python 3.11 or newer; found none. Say which: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot create .venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

.venv/core.stamp: $(BIN)/python pyproject.toml
	@echo "Setting up .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev.stamp: .venv/core.stamp
	@echo "Adding the tools of the tests (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv/train.stamp: .venv/dev.stamp
	@echo "Adding torch and the trainers (once) ..."
	@# Without a GPU the CPU's build will do, 200 MB; the default index brings 5 GB of CUDA along. Where
	@# that index cannot be reached, pip takes torch from wherever it takes the rest.
	@command -v nvidia-smi >/dev/null || $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --retries 0 --timeout 10 torch==2.13.0 \
		--index-url https://download.pytorch.org/whl/cpu >/dev/null 2>&1 || true
	@# torch by itself first: then pip takes a CPU build where one is at hand.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,train]'
	@touch $@

.venv/bench.stamp: .venv/dev.stamp
	@echo "Adding the peers of the benchmarks (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@
