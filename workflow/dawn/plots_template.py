"""Write the HTML template of `dvc plots` with the drawing library in it, so that the page works offline.

    python -m dawn.plots_template --out .dvc/tmp/plots.html

DVC's own template loads Vega from a server. Snakemake ships the same three scripts and their licences for its report,
and the lock file has the checksum of its package. So they are neither downloaded nor part of this repository.
`make env` runs this command.
"""

from pathlib import Path

from dawn.core import cli
from dawn.core.files import write_text

SCRIPTS = ("vega", "vega-lite", "vega-embed")
FILLED = ("{plot_divs}", "{refresh_tag}", "{scripts}")  # DVC replaces these wherever they are
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{{refresh_tag}}
<title>Plots of the experiments</title>
{scripts}
<style>
body {{ font: 15px system-ui, sans-serif; margin: 2em; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
{{plot_divs}}
</body>
</html>
"""


def page(sources: dict[str, tuple[str, str]]) -> str:
    """The template; ``sources`` holds the code and the licence of each script."""
    parts = []
    for name, (code, licence) in sources.items():
        if any(word in code for word in FILLED) or "</script" in code:
            raise cli.InputError(f"{name} cannot be embedded in a page; report this with the version of snakemake")
        parts.append(f"<!-- {name}\n{licence.replace('--', '- -')}\n-->\n<script>{code}</script>")
    return PAGE.format(scripts="\n".join(parts))


def bundled() -> dict[str, tuple[str, str]]:
    """Code and licence of each script, from the installed Snakemake."""
    try:
        from snakemake.assets import Assets
    except ImportError:
        raise cli.InputError("snakemake is not installed in this Python; make env installs it") from None

    def text(path: str) -> str:
        content = Assets.get_content(path)
        return content if isinstance(content, str) else content.decode("utf-8")

    return {name: (text(f"{name}/{name}.js"), text(f"{name}/LICENSE")) for name in SCRIPTS}


def main() -> None:
    """Parse the command line and write."""
    parser = cli.parser(main)
    parser.add_argument("--out", type=Path, required=True, help="the template, HTML")
    write_text(parser.parse_args().out, page(bundled()))


if __name__ == "__main__":
    cli.run(main)
