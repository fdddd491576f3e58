# `make demo` and `make test` need nothing but Python (3.10 or newer) and make: they set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test test-zoo check fuzz format clean

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
	$(BIN)/recform report resnet resnet_s runs/demo/digits --depth 9 -o runs/demo/report.html
	@echo "pictures: runs/demo/paths.png (paths by length), runs/demo/curves.png (training)"
	@echo "all of it on one page: runs/demo/report.html"

test: $(READY)
	$(BIN)/python -m pytest -n auto

# torch_xla needs torch 2.9, and so an environment of its own: 3.6 GB to fetch, 6 GB on disk.
XLA := .venv-xla
CUDA_LIBRARIES := cuda-runtime-cu12==12.8.90 cuda-cupti-cu12==12.8.90 cudnn-cu12==9.10.2.21 \
	cublas-cu12==12.8.4.1 cufft-cu12==11.3.3.83 curand-cu12==10.3.9.90 cusparse-cu12==12.5.8.93 \
	cusparselt-cu12==0.7.1 nccl-cu12==2.27.5 nvshmem-cu12==3.3.20 cufile-cu12==1.13.1.3 \
	nvjitlink-cu12==12.8.93

test-xla: $(XLA)/.ready
	PJRT_DEVICE=CPU OMP_NUM_THREADS=1 $(XLA)/bin/python -m pytest tests/training/test_xla.py

$(XLA)/.ready:
	$(PYTHON) -m venv $(XLA)
	$(XLA)/bin/python -m pip install --quiet --no-deps torch==2.9.1 torchvision==0.24.1 \
		torch_xla==2.9.0 timm==1.0.31 $(CUDA_LIBRARIES:%=nvidia-%) -e .
	$(XLA)/bin/python -m pip install --quiet filelock typing-extensions sympy networkx jinja2 fsspec \
		numpy pillow safetensors huggingface_hub pyyaml absl-py requests lark python-flint typer rich \
		scikit-learn setuptools pytest hypothesis
	touch $@

# Hours on a small machine: each formula on each family, and the identity law over all of timm.
test-zoo: $(READY)
	$(BIN)/python -m pytest -m zoo
	$(BIN)/python benchmarks/identity.py --fresh --report runs/identity.md

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -n auto -m "not slow and not zoo"

fuzz: $(READY)
	$(BIN)/python tests/fuzz.py --texts 1000000

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(XLA) build dist *.egg-info runs/demo
