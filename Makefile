# `make demo` and `make test` need nothing but Python (3.10 or newer) and make: they set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check fuzz format clean

setup: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

demo: $(READY)
	$(BIN)/recform analyze resnet_s
	$(BIN)/recform plot histogram resnet resnet_s -o runs/demo/paths.png
	$(BIN)/recform build resnet_s --backbone resnet50
	$(BIN)/recform train resnet_s --backbone resnet20_cifar --data digits --epochs 8 --seed 0 --out runs/demo/digits
	$(BIN)/recform plot curves runs/demo/digits -o runs/demo/curves.png
	@echo "pictures: runs/demo/paths.png (paths by length), runs/demo/curves.png (training)"

test: $(READY)
	$(BIN)/python -m pytest -n auto

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -n auto -m "not slow"

fuzz: $(READY)
	$(BIN)/python tests/fuzz.py --texts 1000000

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info runs/demo
