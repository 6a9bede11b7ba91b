"""Write the JSON schema of params.yaml, by which editors complete and check it.

    python -m dawn.schema --out workflow/schemas/params.schema.json

The first line of params.yaml names the file for the YAML language server (VS Code, Neovim, Emacs). ``make env`` writes
it anew after an edit to the code.
"""

from pathlib import Path

from dawn.config.experiment import COMPLETE
from dawn.core import cli
from dawn.core.files import write_json


def main() -> None:
    """Parse, write."""
    parser = cli.parser(main)
    parser.add_argument("--out", type=Path, required=True, help="the schema, JSON")
    args = parser.parse_args()
    schema = COMPLETE.model_json_schema()
    write_json(args.out, {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)


if __name__ == "__main__":
    cli.run(main)
