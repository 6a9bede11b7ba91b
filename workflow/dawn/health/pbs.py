"""Print whether a job of PBS is running, has succeeded or has failed: the status command of profiles/pbs.

    python -m dawn.health.pbs 1234.server

PBS knows ended jobs while its server keeps their history (job_history_enable). A job that it does not know, such as one
whose node was lost, has failed, so that Snakemake tries it again. Where the server does not answer, a job counts as
running.
"""

import re
import subprocess
import sys

from dawn.core import cli

PATIENCE = 60.0  # seconds for an answer
ENDED = "CFX"  # completed, finished, ended job of an array
UNKNOWN = re.compile("unknown job|has finished", re.IGNORECASE)


def status(answer: str, complaint: str) -> str:
    """Return the status of a job by what ``qstat -x -f`` printed to its standard output and standard error."""
    state, code = (re.search(rf"^\s*{key} = (\S+)", answer, re.MULTILINE) for key in ("job_state", "Exit_status"))
    if state is None:
        return "failed" if UNKNOWN.search(complaint) else "running"
    if state[1] not in ENDED:
        return "running"
    return "success" if code is not None and code[1] == "0" else "failed"


def main() -> None:
    """Ask PBS and print one word."""
    parser = cli.parser(main)
    parser.add_argument("job", help="the identifier that qsub printed")
    args = parser.parse_args()
    try:
        done = subprocess.run(
            ["qstat", "-x", "-f", args.job],
            capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise cli.InputError("there is no qstat: run snakemake on a login node of PBS") from None
    except subprocess.TimeoutExpired:
        print("running")
        return
    if done.stderr.strip():
        print(done.stderr.strip(), file=sys.stderr)
    print(status(done.stdout, done.stderr))


if __name__ == "__main__":
    cli.run(main)
