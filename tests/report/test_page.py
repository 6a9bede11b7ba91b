"""Pages: the same content as Markdown and as HTML, escaped, with images inside, and numbers to the right."""

import base64
import re
from html.parser import HTMLParser

import markdown_it
import pytest

from dawn.report.numbers import interval, p_value
from dawn.report.page import STYLE, Bullets, Heading, Image, Paragraph, Table, markdown, web

NASTY = 'a | b <script>alert("1")</script> & <b>'
TABLE = Table(["name", "n", "value"], [["x", "12", "94.01 (93.9 to 94.1)"], [NASTY, "–", "< 0.0001"]], "Its title")


class Page(HTMLParser):
    """The tags of a page, and the text of each kind of tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.found, self.open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.found.setdefault(self.open[-1], []).append(data)


def test_html_is_escaped_and_balanced():
    blocks = [Heading(NASTY, 1), Paragraph(NASTY), Paragraph("bold", bold=True), Bullets([NASTY, "2"]), TABLE]
    page = Page(web(NASTY, blocks))
    assert page.open == []
    for tag in ("title", "h1", "p"):
        assert page.found[tag][0] == NASTY
    assert page.found["li"] == [NASTY, "2"]
    assert page.found["b"] == ["bold"]
    assert page.found["th"] == ["name", "n", "value"]
    assert page.found["td"] == ["x", "12", "94.01 (93.9 to 94.1)", NASTY, "–", "< 0.0001"]
    assert page.found["caption"] == ["Its title"]
    assert not [tag for tag, _ in page.tags if tag == "script"]


def test_numbers_are_aligned_to_the_right():
    page = Page(web("t", [TABLE]))
    assert [attrs.get("class") for tag, attrs in page.tags if tag == "th"] == [None, "number", "number"]
    assert "| --- | ---: | ---: |" in markdown([TABLE])
    assert "| --- | --- |" in markdown([Table(["a", "b"], [])])


def test_markdown_has_the_same_content():
    text = markdown([Heading("One", 1), Paragraph(NASTY), Bullets(["x", "y"]), TABLE])
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    page = Page(parser.render(text))
    assert page.found["h1"] == ["One"]
    assert "".join(page.found["p"]).startswith(NASTY)
    assert page.found["td"][3] == NASTY
    assert not [tag for tag, _ in page.tags if tag in ("script", "b")]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


HOSTILE = [
    "![x](http://x.org/x.png)", "[x](http://x.org)", "`code`", "*a* **b** _c_ __d__ ~~e~~", "a_b_c",
    "&lt;b&gt; &#33;", "\\[x](y)",
    "<http://x.org>", "<!-- x", "a \\| b", "# a",
    "1. a", "7)", "- a", "+ a", "> a", "---", "===", "-0.5 points",
    "$x$", "[x]: http://x.org",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_every_block(name):
    blocks = [Heading(name), Paragraph(name), Paragraph(name, bold=True), Bullets([name, name]),
              Table([name], [[name]], name)]  # fmt: skip
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    page = Page(parser.render(markdown(blocks)))
    parts = {"h2", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in page.tags} == parts
    shown = {tag: "".join(found).strip() for tag, found in page.found.items()}
    assert shown == {"h2": name, "p": name, "strong": 2 * name, "li": 2 * name, "th": name, "td": name}


def test_html_holds_its_images_and_markdown_links_them(tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/a.png").write_bytes(b"\x89PNG")
    image = Image(tmp_path / "plots/a.png", 'accuracy "by" variant')
    ((_, attrs),) = [each for each in Page(web("t", [image])).tags if each[0] == "img"]
    assert attrs["alt"] == 'accuracy "by" variant'
    kind, content = attrs["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == b"\x89PNG"
    assert markdown([image], tmp_path) == '![accuracy "by" variant](plots/a.png)\n'


def test_a_page_needs_no_network_and_has_a_dark_form():
    assert "prefers-color-scheme: dark" in STYLE
    assert not re.search(r"https?:|@import|url\(", web("t", [TABLE]))


def test_numbers_as_they_are_printed():
    spread = {"mean": 1234.5, "low": 1200.0, "high": 1300.0}
    assert interval(spread, 1, " s") == "1,234.5 s (1,200.0 to 1,300.0)"
    assert interval(spread | {"low": None}, 0) == "1,234"
    assert interval(None) == "–"
    assert (p_value(0.01234), p_value(1e-9), p_value(None)) == ("0.012", "< 0.0001", "–")


@pytest.mark.parametrize("cell", ["-1.5", "+2", "12", "< 0.1", "–", "$3", "1,000 (1 to 2)", "1.2e-05", "4 %"])
def test_what_counts_as_a_number(cell):
    assert Table(["a"], [[cell]]).numbers == [True]


@pytest.mark.parametrize("cell", ["within 0.2", "fp16", "(1)", "better", "1-3, and a 1", "4x4"])
def test_what_does_not_count_as_a_number(cell):
    assert Table(["a"], [[cell]]).numbers == [False]
