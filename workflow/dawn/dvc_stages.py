"""Write dvc.yaml: the stages of DVC for the task in params.yaml, each with the modules that it runs.

python -m dawn.dvc_stages             after an edit to the imports of a command, to a task's declaration, or to task
python -m dawn.dvc_stages --check     fail if dvc.yaml is out of date
python -m dawn.dvc_stages --settings  fail if params.yaml cannot be used, as each stage does first
"""

from pathlib import Path

from dawn.config.dvc import FILE, pipeline
from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_text


def main() -> None:
    """Parse the command line, write or compare."""
    parser = cli.parser(main)
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path(FILE), help="in the root of a checkout (%(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is out of date")
    parser.add_argument("--settings", action="store_true", help="write nothing; fail if params.yaml is invalid")
    args = parser.parse_args()
    experiment = load(args.file.with_name("params.yaml"))
    if args.settings:
        return
    before = args.file.read_text(encoding="utf-8") if args.file.exists() else ""
    after = pipeline(experiment)
    if args.check and before != after:
        raise cli.InputError(f"{args.file} is out of date; run python -m dawn.dvc_stages {args.file}")
    if before != after:
        write_text(args.file, after)


if __name__ == "__main__":
    cli.run(main)
