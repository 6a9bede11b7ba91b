"""What MkDocs does to the pages: the README is the first page, and files outside docs/ are named, not linked."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README.md as index.md, its links made relative to docs/."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=LINK.sub(_from_root, text)))
    return files


def _from_root(link: re.Match[str]) -> str:
    mark, text, target = link.groups()
    inside = target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"
    return link[0] if target.startswith(("http", "#")) else f"{mark}[{text}]({inside})"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace links that leave docs/ by their text; a link to a file that does not exist fails the build."""
    folder = Path(config.docs_dir, page.file.src_uri).parent

    def replace(link: re.Match[str]) -> str:
        text, target = link.groups()[1:]
        path = (folder / target.partition("#")[0]).resolve()
        if target.startswith(("http", "#")) or path.is_relative_to(config.docs_dir):
            return link[0]
        if not path.exists():
            raise FileNotFoundError(f"{page.file.src_uri} links to {target}, which does not exist")
        return f"{text} (`{path.relative_to(ROOT)}`)" if text.strip("`") != str(path.relative_to(ROOT)) else text

    return LINK.sub(replace, markdown)
