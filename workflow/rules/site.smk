"""Where the steps run: on this machine, in a container, on a cluster. Nothing here changes a result (docs/cluster.md)."""

from snakemake.settings.types import DeploymentMethod

from dawn.core.git import revision

# Used with --software-deployment-method apptainer; containers/README.md describes how to build it. Otherwise Snakemake
# only shows the name, in its report, and stops if it has a blank.
IN_APPTAINER = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
IMAGE = f"{workflow.basedir}/containers/dawn.sif" if IN_APPTAINER else "containers/dawn.sif"
if re.search(r"\s", IMAGE):
    raise WorkflowError(f"Snakemake takes no container image with a blank in its path: move {IMAGE!r}")


container: IMAGE


# A relative path starts where snakemake or dvc was called; the generated archive is in the working directory.
GENERATED = "resources/generated/demo-binary.tar.gz"
SOURCES = "" if CHECKOUT == "." or GENERATED in EXPERIMENT.data.urls else CHECKOUT
os.environ.update(DAWN_SOURCES=SOURCES)
PATHS = [os.path.join(SOURCES, url.removeprefix("file://")) for url in ADDRESSES]

NODES, GPUS = EXPERIMENT.run.nodes, EXPERIMENT.run.gpus
# Slurm sends SIGTERM 90 s before a job's time limit, which is long enough to write a checkpoint.
SIGNAL = "--signal=TERM@90"
# Without nodes=1 Slurm would spread the GPUs of a job over several nodes.
ONE_NODE = {"nodes": 1, "gpu": GPUS}
# On several nodes the training's job calls srun itself, outside the image, so its GPUs are requested for each node.
TRAINING = (
    {**ONE_NODE, "slurm_extra": SIGNAL}
    if NODES == 1
    else {
        "nodes": NODES,
        "tasks": NODES,
        "mpi": "srun",
        "slurm_extra": f"{SIGNAL} --gpus-per-node={GPUS}" if GPUS else SIGNAL,
    }
)

# In a job, the GPUs that were requested for it: without them a training is refused (run.require_gpu).
if workflow.remote_exec:
    os.environ.update(DAWN_GPUS=str(GPUS))

IN_DOCKER = bool(os.environ.get("DAWN_DOCKER"))

# An image sees the working directory, and these: the code, the shared archive, the images and the networks of the user.
MODELS = [experiment.model for experiment in (EXPERIMENT, *EXPERIMENTS.values())]
MOUNTS = [
    ROOT,
    CHECKOUT,
    *filter(os.path.exists, PATHS),
    *(model.file for model in MODELS if model.family == "file"),
]
MOUNTS = [path for path in dict.fromkeys(map(os.path.abspath, MOUNTS)) if not Path(path).is_relative_to(os.getcwd())]
if IN_DOCKER:
    os.environ.update(DAWN_MOUNTS="\n".join(MOUNTS))

# The images have no git, so the revision of the code is passed on.
if IN_APPTAINER or IN_DOCKER:
    of_code = revision(ROOT)
    os.environ.update({"DAWN_CODE": "\n".join(of_code)} if None not in of_code else {})

# In Apptainer the home directory is the working directory, so caches are sent to /tmp, which it mounts on every node; the
# temporary directory of this one, $TMPDIR, may not be there. On several nodes dawn.launch enters the image on each of them
# with DAWN_CONTAINER.
if IN_APPTAINER:
    MOUNTED = os.path.join(os.sep, "tmp")
    CACHE = f"{MOUNTED}/dawn-cache-{os.getuid()}"
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ.setdefault(variable, f"{CACHE}/{variable.lower()}")
    if unclear := [path for path in MOUNTS if re.search("[:,]", path)]:
        raise WorkflowError(f"Apptainer cannot mount a path with a colon or a comma: {unclear[0]!r}; move it")
    BOUND = [os.environ.get(f"{engine}_BIND") for engine in ("APPTAINER", "SINGULARITY")]
    BINDS = ",".join(dict.fromkeys([*(path for paths in BOUND if paths for path in paths.split(",")), *MOUNTS]))
    for engine in ("APPTAINER", "SINGULARITY"):  # otherwise the image's own PYTHONPATH would be used
        inside = {"PYTHONPATH": f"{ROOT}/workflow", "TMPDIR": MOUNTED}
        os.environ.update({f"{engine}ENV_{name}": value for name, value in inside.items()} | {f"{engine}_BIND": BINDS})
    home, arguments = shlex.quote(os.getcwd()), workflow.deployment_settings.apptainer_args
    os.environ.update(DAWN_CONTAINER=f"apptainer exec --home {home} {arguments} {shlex.quote(IMAGE)}")

# The first `python` on the PATH is then a script that runs the step in the Docker image.
if IN_DOCKER:
    os.environ.update(PATH=os.pathsep.join([f"{ROOT}/containers/docker", *os.get_exec_path()]))


# On a cluster these run where snakemake was started: they are short, or need the network.
localrules:
    all,
    demo_archive,
    download,


# Without an output it always runs. On a cluster it checks a node such as a training gets.
rule doctor:
    log:
        "logs/doctor.log",
    resources:
        **ONE_NODE,
        mem_mb=8000,
    message:
        "Check whether a run will work here"
    shell:
        "python -m dawn.doctor --params results/params.yaml 2>&1 | tee {log:q}"
