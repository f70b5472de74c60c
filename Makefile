# Gnomon's tasks. Each sets up what it needs: a virtual environment, pinned packages, model files.
PYTHON ?= python3
VENV ?= .venv
# where pip finds a CPU build of torch, for example TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# which benchmarks `make bench` runs, and the share of their size: make bench ONLY=rerank SCALE=0.1
ONLY ?=
SCALE ?= 1

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := app agents retrieval rerankers indexes ui
DEMO_DATA := .demo
DEMO_MODELS := qwen2.5-coder-1.5b-instruct-q4_k_m all-minilm-l6-v2
TEST_MODELS := smollm2-135m-instruct-q4_1 all-minilm-l6-v2

.PHONY: demo test lint types contracts bench serve ui docs install clean

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $(INSTALLED)

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/gnomon models pull $(DEMO_MODELS)
	$(BIN)/gnomon --data-dir $(DEMO_DATA) ingest samples/spaceflight/documents -c spaceflight
	$(BIN)/gnomon --data-dir $(DEMO_DATA) ask -c spaceflight --show-steps \
	    "Who led ESA when Giotto passed Halley's Comet?" \
	    "Who was the Administrator of NASA on 1 July 2008?" \
	    "Which ship recovered the crew of Apollo 16?" || test $$? -eq 3  # the last one cannot be answered

test: $(INSTALLED)
	$(BIN)/gnomon models pull $(TEST_MODELS)
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered -m 'not large and not gpu'

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py

bench: $(INSTALLED)
	SCALE=$(SCALE) $(BIN)/python benchmarks/run.py $(ONLY)

serve: $(INSTALLED)
	$(BIN)/gnomon serve --api

ui: $(INSTALLED)
	$(BIN)/gnomon serve --ui

clean:
	rm -rf $(VENV) $(DEMO_DATA) .pytest_cache .mypy_cache .ruff_cache
