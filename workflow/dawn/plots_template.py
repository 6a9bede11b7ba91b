"""Write the page that `dvc plots` fills in, with its drawing library inside, so that it opens without a network.

    python -m dawn.plots_template --out .dvc/tmp/plots.html

DVC's own page loads Vega from a server. Snakemake brings the same three scripts for its report, proven by checksum when
it was packed, with their licenses; so they are neither fetched nor kept in this repository. `make env` calls this.
"""

from pathlib import Path

from dawn.core import cli
from dawn.core.files import write_text

SCRIPTS = ("vega", "vega-lite", "vega-embed")
FILLED = ("{plot_divs}", "{refresh_tag}", "{scripts}")  # what DVC replaces, wherever it stands
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
    """The template; ``sources`` holds code and license of each script."""
    parts = []
    for name, (code, license) in sources.items():
        if any(word in code for word in FILLED) or "</script" in code:
            raise cli.InputError(f"{name} cannot be put in a page as it is; report this with the version of snakemake")
        parts.append(f"<!-- {name}\n{license.replace('--', '- -')}\n-->\n<script>{code}</script>")
    return PAGE.format(scripts="\n".join(parts))


def bundled() -> dict[str, tuple[str, str]]:
    """Code and license of each script, from the installed Snakemake."""
    try:
        from snakemake.assets import Assets
    except ImportError:
        raise cli.InputError("snakemake is not installed in this Python; make env installs it") from None

    def text(path: str) -> str:
        content = Assets.get_content(path)
        return content if isinstance(content, str) else content.decode("utf-8")

    return {name: (text(f"{name}/{name}.js"), text(f"{name}/LICENSE")) for name in SCRIPTS}


def main() -> None:
    """Parse, bundle, write."""
    parser = cli.parser(main)
    parser.add_argument("--out", type=Path, required=True, help="the template, HTML")
    write_text(parser.parse_args().out, page(bundled()))


if __name__ == "__main__":
    cli.run(main)
