# `make run` and `make test` set up .venv on their first call; later calls go straight to work.
#   make run PROFILE=smoke LESSONS="01 02"      make test PYTHON=python3.12
#   make run TORCH_INDEX=...   (an index of CPU builds of torch; see README.md)

PYTHON ?= python3
PROFILE ?=
LESSONS ?=
# Anything: also run the lessons that are finished, and resume nothing.
AGAIN ?=

VENV := .venv
# An index of CPU builds leaves out the CUDA libraries (Linux): about 1 GB instead of 5.5 GB. It is
# remembered for the next set-up, after an update of the course.
TORCH_INDEX ?= $(shell cat $(VENV)/torch-index 2>/dev/null)
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
LINUX_ONLY := ^(nvidia-|cuda-|triton==)
SELECT := $(if $(LESSONS),--lessons "$(LESSONS)")

.PHONY: help run test test-all lab notebooks bench weights lint lock

help:
	@echo 'make run         run every lesson (PROFILE=smoke|student|overnight|full|published, LESSONS="01 02");'
	@echo '                 finished ones are skipped (AGAIN=1: not), killed ones go on'
	@echo 'make test        everything that CI runs;  make test-all adds the slow tests'
	@echo 'make lab         open the lessons in JupyterLab'
	@echo 'make notebooks   run the lessons and store their outputs in notebooks/'
	@echo 'make bench       speed of this machine, beside other libraries and bare PyTorch'
	@echo 'make weights     train every network that ships once more: hours'
	@echo 'make lint        ruff, the formatter too;  make lock writes requirements.lock from .venv'
	@echo 'Set-up: PYTHON=python3.12 picks the interpreter, TORCH_INDEX=... CPU builds of torch.'

run: $(STAMP)
	@$(PY) -m diffutils run $(if $(PROFILE),--profile "$(PROFILE)") $(SELECT) $(if $(AGAIN),--again)

test: $(STAMP)
	@$(PY) -m diffutils test

test-all: $(STAMP)
	@$(PY) -m diffutils test --all

lab: $(STAMP)
	@$(PY) -m diffutils lab

notebooks: $(STAMP)
	@$(PY) -m diffutils notebooks $(SELECT)

weights: $(STAMP)
	@$(PY) -m diffutils weights

bench: $(STAMP)
	@$(PY) -m diffutils bench

lint: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

# Python before 3.12 leaves setuptools out of `pip freeze`; torch needs it, so it is asked for.
lock: $(STAMP)
	@$(PY) -m pip freeze --all --exclude-editable --exclude pip --exclude wheel \
	  | grep -E '^[A-Za-z0-9._-]+==' \
	  | sed -E '/$(LINUX_ONLY)/ s/$$/ ; sys_platform == "linux"/' > requirements.lock.new
	@mv requirements.lock.new requirements.lock
	@touch $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, {v[0]}.{v[1]} was found: \
	call make with PYTHON=/path/to/a/newer/python")'
	@echo "Setting up $(VENV), once: minutes, and up to 6 GB on Linux (see TORCH_INDEX in README.md)"
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade pip
ifneq ($(TORCH_INDEX),)
	@echo "$(TORCH_INDEX)" > $(VENV)/torch-index
	@grep -vE '$(LINUX_ONLY)' requirements.lock > $(VENV)/cpu.lock
	$(PY) -m pip install --extra-index-url "$(TORCH_INDEX)" -r $(VENV)/cpu.lock
else
	$(PY) -m pip install -r requirements.lock
endif
	PYTHONWARNINGS=ignore $(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
