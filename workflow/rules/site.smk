"""Where the work is done: in a container, on a cluster. Nothing here changes a result (docs/cluster.md)."""

import shlex
import tempfile

from snakemake.settings.types import DeploymentMethod

from dawn.core.host import answer

# Used with --sdm apptainer; containers/README.md says how to make it.
IMAGE = f"{workflow.basedir}/containers/dawn.sif"


container: IMAGE


NODES, GPUS = EXPERIMENT.run.nodes, EXPERIMENT.run.gpus
# Asked for where Slurm gives out GPUs. Without nodes=1 it would spread them.
ONE_NODE = {"nodes": 1, "gpu": GPUS}
# A training's share of the cluster, and a signal 90 s before its time is up, which is long enough to keep a state.
# Over several nodes srun starts it, outside the image, so its GPUs are asked for by the node.
WARNED = "--signal=TERM@90"
SPREAD = (
    {**ONE_NODE, "slurm_extra": WARNED}
    if NODES == 1
    else {
        "nodes": NODES,
        "tasks": NODES,
        "mpi": "srun",
        "slurm_extra": f"{WARNED} --gpus-per-node={GPUS}" if GPUS else WARNED,
    }
)

IN_APPTAINER = DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method
IN_DOCKER = bool(os.environ.get("DAWN_DOCKER"))

# In an image there is no git to ask which code this is.
if IN_APPTAINER or IN_DOCKER:
    told = [answer("git", "rev-parse", "HEAD", at=ROOT), answer("git", "status", "--porcelain", at=ROOT)]
    os.environ.update({"DAWN_CODE": "\n".join(told)} if None not in told else {})

# In Apptainer the home directory is the working directory, so what is merely cached is sent elsewhere; and dawn.launch
# is told how to enter the image on each of several nodes.
if IN_APPTAINER:
    CACHE = f"{tempfile.gettempdir()}/dawn-cache-{os.getuid()}"
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ.setdefault(variable, f"{CACHE}/{variable.lower()}")
    for engine in ("APPTAINER", "SINGULARITY"):  # else the image's own value would hide that of the host
        os.environ.update({f"{engine}ENV_PYTHONPATH": f"{ROOT}/workflow"})
    home, arguments = shlex.quote(os.getcwd()), workflow.deployment_settings.apptainer_args
    os.environ.update(DAWN_CONTAINER=f"apptainer exec --home {home} {arguments} {shlex.quote(IMAGE)}")

# The steps' `python` is then one that runs in that image of Docker's.
if IN_DOCKER:
    os.environ.update(PATH=os.pathsep.join([f"{ROOT}/containers/docker", *os.get_exec_path()]))


# On a cluster these stay where snakemake was started: they are short, and the download needs the network.
localrules:
    all,
    demo_archive,
    download,
    dawnbench,
    summarize,
    summary,
    plots,
    plot,
    sheet,
    pack,
    crate,


# Never up to date, since it makes nothing. On a cluster it looks at a node such as a training gets.
rule doctor:
    log:
        "logs/doctor.log",
    resources:
        **ONE_NODE,
        mem_mb=8000,
    message:
        "Look whether a run will work here"
    shell:
        "python -m dawn.doctor --params results/params.yaml 2>&1 | tee {log}"
