"""Engines that engines.sh starts, and Snakemake on a cluster of two nodes."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import workspace

SCRIPT = Path(__file__).with_name("engines.sh")
# Root needs a user namespace, since this Apptainer is not installed setuid; anyone else gets one by itself.
SLURM = {"SLURM_CONF": "/etc/slurm/slurm.conf"}  # which other tests hide
USERNS = {"APPTAINER_UNSHARE_USERNS": "1"} if os.geteuid() == 0 else {}


def run(*line: object, **options: object) -> str:
    """Return what a command prints; if it fails, raise with its output."""
    done = subprocess.run([str(word) for word in line], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return str(done.stdout)


@contextmanager
def engine(name: str, folder: Path) -> Iterator[Path]:
    """Start an engine in ``folder``, and stop it at the end of the block."""
    run("bash", SCRIPT, "up", name, folder)
    try:
        yield folder
    finally:
        run("bash", SCRIPT, "down", name, folder)


@dataclass
class Cluster:
    """A Slurm of two nodes, and a workspace whose jobs it runs."""

    folder: Path
    place: workspace.Workspace

    def start(self, target: str, *options: str, settings: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        """Start snakemake with the Slurm profile and more frequent status checks than the profile's."""
        line = [workspace.BIN / "snakemake", target, "--workflow-profile", "profiles/slurm", "--cores", "1"]
        line += ["--set-threads", "train=1", "evaluate=1"]
        line += ["--slurm-init-seconds-before-status-checks", "5", *options]
        return subprocess.Popen(
            [*line, "--config", workspace.data(self.place.archive), *workspace.SMALL, "run={gpus: 0}", *settings],
            cwd=self.place.path, env=workspace.environment() | USERNS | SLURM, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def finish(self, process: "subprocess.Popen[str]") -> str:
        """Wait until snakemake has succeeded, and return its output."""
        output, _ = process.communicate(timeout=900)
        logs = [path.read_text() for path in self.place.path.glob("logs/slurm/**/*.log")]
        assert process.returncode == 0, output + "\n".join(logs)
        return output

    def training(self, seed: int) -> int:
        """Return the Slurm job of a running training as soon as it has written a checkpoint."""
        end = time.monotonic() + 400
        while not list(self.place.path.glob(f".resume/*/seed-{seed}/state.pt")):
            assert time.monotonic() < end, run("squeue") + run("sinfo")
            time.sleep(0.1)
        return int(run("squeue", "--noheader", "--states=R", "--format=%i").split()[0])

    def metrics(self, seed: int) -> dict[str, object]:
        """The metrics of a training."""
        found: dict[str, object] = json.loads((self.place.path / f"results/seed-{seed}/metrics.json").read_text())
        return found

    def weights(self, seed: int) -> bytes:
        """The bytes of a training's weights."""
        return (self.place.path / f"results/seed-{seed}/model.safetensors").read_bytes()

    def ended(self, job: int) -> str:
        """The final state of a job, as Slurm reports it."""
        return run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").strip()


def kill_node(cluster: Cluster, node: str, job: int) -> None:
    """Kill a node's daemon and the processes of the job there, as a power failure would."""
    daemon = int((cluster.folder / f"slurmd.{node}.pid").read_text())
    os.kill(daemon, 9)
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environment, line = (path / "environ").read_bytes(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if f"SLURM_JOB_ID={job}\0".encode() in environment or line.startswith(f"slurmstepd: [{job}.".encode()):
            os.kill(int(path.name), 9)
