# The fresh machine's two commands: `make demo` and `make test`. Everything else is snakemake's and dvc's own.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: report compare sync record env demo test test-all test-hpc doctor image sif bill lint format lock bench clean

env: .venv/ready

# Compiled bytecode makes every later start three times faster, so it is switched on whatever the shell says.
.venv/ready: requirements/dev.lock requirements/uv.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"dawn needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/uv.lock
	PYTHONDONTWRITEBYTECODE= $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	  requirements/dev.lock
	echo '$(CURDIR)/workflow' > "$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')/dawn.pth"
	$(BIN)/python -m dawn.plots_template --out .dvc/plots.html
	touch $@

demo: env
	$(BIN)/snakemake --profile profiles/demo

# A worker a core, so a thread a worker.
test: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# The rest: what starts engines again and again or trains for long.
test-all: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m full

# With real engines, which it installs and starts: a Debian machine, root, and the better part of an hour.
test-hpc: env
	$(BIN)/python -m pytest -n0 tests/hpc

doctor: env
	$(BIN)/python -m dawn.doctor

# The image, the same for Apptainer, and what is in it. make image IMAGE_ARGS="--build-arg BASE=registry/python@sha256:..."
image:
	docker build --file containers/Dockerfile --tag dawn --build-arg REVISION=$$(git rev-parse HEAD) $(IMAGE_ARGS) .

SIF := containers/dawn.sif
sif:
	apptainer build --force --mksquashfs-args "-comp zstd -Xcompression-level 3" $(SIF) docker-daemon:dawn:latest

bill: env
	$(BIN)/python -m dawn.sbom --image $(if $(wildcard containers/dawn.sif),containers/dawn.sif,dawn) --out containers/bill.json

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow/rules

bench: env
	$(BIN)/python tests/bench/throughput.py

# One resolution: the container's lock is the dev lock less the engines; its bill has a small one of its own.
lock: env
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --custom-compile-command "make lock" \
	  pyproject.toml --group dev --output-file requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock" \
	  pyproject.toml --constraint requirements/dev.lock --output-file requirements/runtime.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock" \
	  --group bill --constraint requirements/dev.lock --output-file requirements/bill.lock

# Figures, then one file with all of them that needs no network. make report ARGS="--profile profiles/demo"
report: env
	snakemake plots $(ARGS)
	snakemake plots --report results/report.html --report-stylesheet $(CURDIR)/workflow/report/style.css $(ARGS)

# The experiments side by side: what differs, less the checksums of files and what is rarely asked for.
DROP := Created|live.*|.*/.*|Snakefile|data|(?!acc).*[.](std|low|high)|top5.*|loss.*|calib.*|train_.*|target[.](acc|share|seeds).*
compare:
	@dvc exp show --md --only-changed --hide-workspace --drop '$(DROP)'

# After dvc exp apply, dvc checkout or dvc pull: what lies there is what DVC says it is, so Snakemake may believe it.
sync:
	@dvc status --quiet || { dvc status; echo "make sync: params, code or results are not what dvc.lock says: dvc repro" >&2; exit 1; }
	snakemake --touch --quiet host rules progress

# Keep a run of plain snakemake as an experiment: finish it, judge the weights anew, save. make record NAME=wider
record:
	snakemake --quiet host rules progress
	snakemake results/summary.md --quiet host rules progress --forceall --allowed-rules evaluate manifest summarize summary
	dvc exp save $(if $(NAME),--name $(NAME))

clean:
	rm -rf demo .snakemake .pytest_cache .mypy_cache .ruff_cache
