# On a fresh machine: `make demo` and `make test`. Experiments are run by snakemake and dvc.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
SCHEMA := workflow/schemas/params.schema.json

.PHONY: help docs tables schema env demo demo-gan cycle-demo reproduce test test-all test-hpc doctor image sif sbom lint format bench lock report compare sync save clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: .venv/ready $(SCHEMA) ## install the locked packages into .venv

# Compiled bytecode makes every later start three times faster, so PYTHONDONTWRITEBYTECODE is unset here.
.venv/ready: requirements/dev.lock requirements/uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"dawn needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/uv.lock
	PYTHONDONTWRITEBYTECODE= $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	  requirements/dev.lock
	echo "$$(pwd)/workflow" > "$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')/dawn.pth"
	$(BIN)/python -m dawn.plots_template --out .dvc/plots.html
	touch $@

demo: env ## run the whole pipeline on generated images
	$(BIN)/snakemake --profile profiles/demo

demo-gan: env ## the same with a GAN
	$(BIN)/snakemake --profile profiles/demo-gan

cycle-demo: env ## the same with a CycleGAN
	$(BIN)/snakemake --profile profiles/cycle-demo

CRATE := demo-crate/results/crate.zip
SHORT := --profile profiles/demo --directory demo-crate --config seeds=3 'train={epochs: 3}'

reproduce: $(CRATE) ## check the crate of a short demo: its first seed again, then new seeds
	$(BIN)/python -m dawn.reproduce $(CRATE) --out demo-crate/reproduction --seeds 5 --margin 2

$(CRATE): .venv/ready
	$(BIN)/snakemake $(SHORT)
	$(BIN)/snakemake crate $(SHORT)

# The quick tests: about eight minutes on two cores. One worker for each core, one thread for each worker.
test: env ## the quick tests, about eight minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# The other tests: those that start snakemake and dvc many times or train for long.
test-all: env ## the other tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m full

# The tests on Docker, Apptainer and Slurm, which it installs and starts: needs Debian, root and about an hour.
test-hpc: env ## the tests on Docker, Apptainer and Slurm (Debian, root)
	$(BIN)/python -m pytest -n0 tests/hpc

doctor: env ## check this machine
	$(BIN)/python -m dawn.doctor

# The container image, its Apptainer version, its SBOM: containers/README.md.
image: ## build the Docker image
	docker build --file containers/Dockerfile --tag dawn --build-arg REVISION=$$(git rev-parse HEAD) $(IMAGE_ARGS) .

SIF := containers/dawn.sif
sif: ## build the Apptainer image
	apptainer build --force --mksquashfs-args "-comp zstd -Xcompression-level 3" $(SIF) docker-daemon:dawn:latest

sbom: env ## list what is in the image
	$(BIN)/python -m dawn.sbom --image $(if $(wildcard containers/dawn.sif),containers/dawn.sif,dawn) --out containers/sbom.json

lint: env ## check format, style, types and the Snakefile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/rules workflow/dawn/tasks
	$(BIN)/snakemake --lint
	$(BIN)/mypy

format: env ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow/rules workflow/dawn/tasks

bench: env ## measure the training loop
	$(BIN)/python tests/bench/throughput.py

docs: env ## the documentation as a site: site/index.html
	$(BIN)/mkdocs build --quiet

tables: env ## the tables of measured numbers, from docs/measurements
	$(BIN)/python tests/bench/tables.py

schema: $(SCHEMA) ## the JSON schema of params.yaml, for editors

$(SCHEMA): .venv/ready $(shell find workflow/dawn -name '*.py')
	$(BIN)/python -m dawn.schema --out $@

# The lock of the container (runtime) and of the SBOM tool hold the versions of the dev lock.
lock: env ## resolve the locks anew
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --custom-compile-command "make lock" \
	  pyproject.toml --group dev --output-file requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock" \
	  pyproject.toml --constraint requirements/dev.lock --output-file requirements/runtime.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock" \
	  --group sbom --constraint requirements/dev.lock --output-file requirements/sbom.lock

# The figures, then one HTML file with all of them: make report ARGS="--profile profiles/demo"
report: env ## results/report.html, one file with all figures
	snakemake plots $(ARGS)
	snakemake plots --report results/report.html --report-stylesheet "$$(pwd)/workflow/report/style.css" $(ARGS)

# The table of DVC's experiments: only columns that differ, without file checksums and rarely used metrics.
DROP := Created|live.*|.*/.*|Snakefile|data|(?!acc).*[.](std|low|high)|top5.*|loss.*|calib.*|train_.*|target[.](acc|share|seeds).*|.*(median|interquartile_mean|expected_seconds).*
compare: ## the table of DVC experiments
	@dvc exp show --md --only-changed --hide-workspace --drop '$(DROP)'

# After dvc exp apply, checkout or pull: mark the results as up to date for Snakemake, if DVC finds them unchanged.
sync: ## mark what DVC brought back as up to date for Snakemake
	@dvc status --quiet || { dvc status; echo "make sync: params, code or results differ from dvc.lock; run dvc repro" >&2; exit 1; }
	snakemake --touch --quiet host rules progress

# Save a run of plain snakemake as a DVC experiment, its weights evaluated again: make save NAME=wider
save: ## save a run as a DVC experiment: make save NAME=wider
	snakemake --quiet host rules progress
	snakemake results/summary.md --quiet host rules progress --forceall --allowed-rules evaluate summarize plot summary
	dvc exp save $${NAME:+--name "$$NAME"}

clean: ## delete the demo and caches
	rm -rf demo demo-gan cycle-demo demo-crate .snakemake .pytest_cache .mypy_cache .ruff_cache
