"""Where the work is done: in a container, on a cluster. Nothing here changes a result (docs/cluster.md)."""

import shlex
import tempfile

from snakemake.settings.types import DeploymentMethod

IMAGE = f"{workflow.basedir}/containers/dawn.sif"
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

# In an image the home directory is the working directory, so what is merely cached is sent elsewhere; and dawn.launch
# is told how to enter the image on each of several nodes.
if DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method:
    CACHE = f"{tempfile.gettempdir()}/dawn-cache-{os.getuid()}"
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ.setdefault(variable, f"{CACHE}/{variable.lower()}")
    arguments = workflow.deployment_settings.apptainer_args
    os.environ["DAWN_CONTAINER"] = f"apptainer exec --home {shlex.quote(os.getcwd())} {arguments} {shlex.quote(IMAGE)}"

# The steps' `python` is then one that runs in that image of Docker's.
if os.environ.get("DAWN_DOCKER"):
    os.environ["PATH"] = f"{ROOT}/containers/docker{os.pathsep}{os.environ['PATH']}"
