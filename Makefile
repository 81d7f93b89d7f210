# Every target runs from a bare python3 (3.11 or newer): what it needs is
# installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Outputs must not depend on the settings that a reader keeps at home.
export IPYTHONDIR := $(CURDIR)/.venv/ipython

.DEFAULT_GOAL := help
.PHONY: help book serve dist links bench bench-avx2 bench-distributed portable huge exhaust test coverage mutate notebooks wasm lab check constraints fonts clean

help:              ## list the targets
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: .venv/ready ## build the site into _build/html
	rm -rf _build/html
	$(BIN)/jupyter-book build . --all -n -W --keep-going -q
	$(BIN)/python tools/site.py

serve: book       ## build the site and serve it on http://127.0.0.1:8000
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

dist: book        ## put the site, the notebooks, a PDF of the book and the package into dist
	$(BIN)/python tools/dist.py

links: .venv/ready ## ask every other site that the book links to whether it is there
	$(BIN)/python tools/links.py

test: book         ## test the library, its examples, every notebook and the site
	$(BIN)/python -m pytest --numprocesses auto --ignore tests/book/site
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile \
	  --override-ini addopts= --nbval --nbval-current-env notebooks
	$(BIN)/python -m pytest tests/book/site
	@$(BIN)/python tests/book/site/browser.py
	$(BIN)/python tools/mutate.py --quick --sample 2

# Compiled lines count when they are compiled, so nothing may come from a cache.
coverage: .venv/ready ## measure how much of the library its tests run
	NUMBA_JIT_COVERAGE=1 NUMBA_CACHE_DIR=$$(mktemp -d) $(BIN)/python -m pytest \
	  --ignore tests/book --cov --cov-report=term-missing:skip-covered

mutate: .venv/ready ## break the code in many small ways, each of which the tests must notice (half an hour)
	$(BIN)/python tools/mutate.py

huge: .venv/ready ## try arrays of more than 2^31 numbers (needs 12 GB of memory)
	$(BIN)/python -m benchmarks.huge

# The same bits are wanted from processors that this one only imitates. ARM may name a
# command that runs Python there, with NumPy, Numba, pytest and this folder in its path.
PORTABLE := -m pytest -p no:cacheprovider tests/test_golden.py tests/test_same_bits.py
portable: .venv/ready ## compare results with those of other processors, imitated
	NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2,+fma \
	  $(BIN)/python $(PORTABLE) --numprocesses auto
	NUMBA_CPU_NAME=x86-64 NUMBA_CPU_FEATURES=+fma \
	  $(BIN)/python $(PORTABLE) --numprocesses auto
	@test -z "$(ARM)" || { echo $(ARM) $(PORTABLE); $(ARM) $(PORTABLE); }

exhaust: .venv/ready ## try every float32 argument of the exponential and the sigmoid (minutes)
	$(BIN)/python -m benchmarks.exhaust

bench: .venv-bench/ready ## measure speed and accuracy beside the peers, by kind of processor
	.venv-bench/bin/python -m benchmarks.run

bench-avx2: .venv-bench/ready ## measure the same on AVX-512, with all held to AVX2 (Linux; needs cc and objdump)
	.venv-bench/bin/python -m benchmarks.without_avx512

bench-distributed: .venv-bench/ready ## measure Dask arrays on a cluster beside the peers (minutes)
	.venv-bench/bin/python -m benchmarks.distributed

check: .venv/ready ## check layout, style, types and spelling of code, notebooks and prose
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell

notebooks: .venv/ready ## execute every notebook in place and normalise it
	$(BIN)/python tools/notebooks.py

wasm: .venv/ready ## compile the kernels for the pages of the book, which run them
	$(BIN)/python -m tools.wasm

# JupyterLab shows stored figures only in notebooks that it is told to trust.
lab: export JUPYTER_DATA_DIR := $(CURDIR)/.venv/share/jupyter
lab: .venv/ready  ## open the notebooks in JupyterLab
	$(BIN)/jupyter trust notebooks/*.ipynb > /dev/null
	$(BIN)/jupyter lab --notebook-dir=notebooks

constraints: .venv/ready ## freeze what is installed into constraints.txt
	$(BIN)/python tools/freeze.py

# STIX Two Math comes with a package that draws formulas.
fonts: .venv/ready ## fetch the fonts of the site and of the figures anew (needs npm)
	npm pack --silent @fontsource-variable/source-serif-4@5.3.1 \
	  @fontsource-variable/source-sans-3@5.3.0 @fontsource-variable/source-code-pro@5.3.0
	for family in source-serif-4 source-sans-3 source-code-pro; do \
	  tar -xzf fontsource-variable-$$family-*.tgz --strip-components=1 -C book/_static/fonts package/LICENSE; \
	  mv book/_static/fonts/LICENSE book/_static/fonts/LICENSE-$$family; \
	  tar -xzf fontsource-variable-$$family-*.tgz --strip-components=2 -C book/_static/fonts \
	    package/files/$$family-latin-wght-normal.woff2; done
	tar -xzf fontsource-variable-source-serif-4-*.tgz --strip-components=2 -C book/_static/fonts \
	  package/files/source-serif-4-latin-wght-italic.woff2
	npm pack --silent @fontsource/source-sans-3@5.3.1
	tar -xzf fontsource-source-sans-3-*.tgz --strip-components=2 package/files/source-sans-3-latin-400-normal.woff
	$(BIN)/python tools/figure_font.py source-sans-3-latin-400-normal.woff \
	  notebooks/helpers/figures/font/figures.ttf
	rm fontsource-*.tgz source-sans-3-latin-400-normal.woff
	$(BIN)/python -m pip install --quiet --no-deps --target _build/fonts ziamath==0.13 brotli
	PYTHONPATH=_build/fonts $(BIN)/python tools/math_font.py _build/fonts/ziamath/fonts/STIXTwoMath-Regular.ttf

clean:            ## remove everything that was built or installed
	rm -rf .venv .venv-bench _build dist .pytest_cache .hypothesis .ruff_cache .mypy_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: requirements.txt constraints.txt pyproject.toml tools/ipython_kernel_config.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "This needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	mkdir -p .venv/etc/ipython
	cp tools/ipython_kernel_config.py .venv/etc/ipython/
	@touch $@

# The peers are large, so they have an environment of their own.
.venv-bench/ready: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet -r benchmarks/requirements.txt
	@touch $@
