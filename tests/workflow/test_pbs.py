"""The profile for PBS with Snakemake's real plugin, on stand-ins for qsub and qstat that run jobs on this machine.

Like PBS they know ended jobs, and not one whose node is lost.
"""

import os
import re
import stat
import subprocess

import pytest
import workspace

from dawn.health.pbs import status

COMMANDS = {
    "qsub": r"""#!/bin/bash
number=$(ls {jobs} | grep -c line)
printf '%s\0' "$@" > {jobs}/$number.line
setsid bash -c 'bash "$1" > "$2.out" 2>&1; echo $? > "$2.end"; mv "$2.end" "$2.exit"' job "${{@: -1}}" {jobs}/$number \
  > /dev/null 2>&1 &
if grep -q dawn_train {jobs}/$number.line && [ ! -e {jobs}/lost ]; then
  echo $number > {jobs}/lost
  sleep 1 # until it has a process group of its own
  kill -9 -- -$!
fi
echo $number.server
""",
    "qstat": r"""#!/bin/bash
number=${{@: -1}}; number=${{number%.server}}
[ "$(cat {jobs}/lost 2> /dev/null)" = $number ] && {{ echo "qstat: Unknown Job Id $number.server" >&2; exit 153; }}
echo "Job Id: $number.server"
if [ -e {jobs}/$number.exit ]; then
  echo "    job_state = F"; echo "    Exit_status = $(cat {jobs}/$number.exit)"
else
  echo "    job_state = R"
fi
""",
}


@pytest.mark.parametrize(
    ("answer", "complaint", "word"),
    [
        ("Job Id: 1.s\n    job_state = Q\n", "", "running"),
        ("Job Id: 1.s\n    job_state = E\n    Exit_status = 0\n", "", "running"),  # its files are still copied
        ("Job Id: 1.s\n    job_state = F\n    Exit_status = 0\n", "", "success"),
        ("Job Id: 1.s\n    job_state = C\n    Exit_status = 75\n", "", "failed"),
        ("Job Id: 1.s\n    job_state = F\n    Exit_status = -29\n", "", "failed"),  # over its time limit
        ("Job Id: 1.s\n    job_state = F\n", "", "failed"),  # deleted before it began
        ("", "qstat: Unknown Job Id 1.s", "failed"),
        ("", "qstat: cannot connect to server pbs (errno=111)", "running"),
        ("Job Id: 1.s\n    Job_Name = job_state = F\n    job_state = H\n", "", "running"),
    ],
)
def test_a_job_runs_has_succeeded_or_has_failed(answer, complaint, word):
    assert status(answer, complaint) == word


@pytest.mark.full
def test_a_pipeline_ends_though_the_node_of_its_training_is_lost(copied, tmp_path):
    commands, jobs = tmp_path / "bin", tmp_path / "jobs"
    commands.mkdir()
    jobs.mkdir()
    for name, text in COMMANDS.items():
        (commands / name).write_text(text.format(jobs=jobs))
        (commands / name).chmod(stat.S_IRWXU)
    options = ("--workflow-profile", "profiles/pbs", "--latency-wait", "5", "run={gpus: 0}")
    line = copied.line("results/seed-5/model.safetensors", *options)
    done = subprocess.run(
        line, cwd=copied.path, capture_output=True, text=True, check=False, timeout=600,
        env=workspace.environment() | {"PATH": f"{commands}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (copied.path / "results/seed-5/model.safetensors").exists()
    asked = [path.read_text().replace("\0", " ") for path in jobs.glob("*.line")]
    trainings = [text for text in asked if "-N dawn_train " in text]
    assert len(trainings) == 2  # the first was lost
    for text in trainings:
        assert "-l select=1:ncpus=8:mem=16000mb:ngpus=0 " in text
        assert re.search(r"-l walltime=720:00 \S+$", text.strip())
