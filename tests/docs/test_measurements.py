"""Every measured number on a page is made from raw rows, or marked as one whose rows were not kept."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import tables
import yaml
from conftest import ROOT

from dawn.core.cli import InputError
from dawn.results import measurement

FOLDER = ROOT / "docs/measurements"
PRESETS = [ROOT / "params.yaml", *sorted((ROOT / "workflow/presets").glob("*.yaml"))]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MEASURED = re.compile(
    r"(?<!published )(accuracy|second)|images/s|time, s|median|range|efficiency|KID-judge|PSNR|power|\| result \|"
)
ACCURACIES = (94.0, 94.5, 93.8)
NOT_MEASURED = {  # tables that define or compute something, by their heads
    "| timed | untimed, reported separately |", "| file | content |",
    "| measure | question | better | read with care |",
}  # fmt: skip


def test_each_page_is_what_its_rows_say_and_each_number_has_rows():
    assert tables.Pages().faults() == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_rows_are_small_and_name_no_machine(path):
    measurement.read(path)
    assert path.stat().st_size < 100_000
    assert not re.search(r"/(home|root|tmp|srv|mnt)/", path.read_text())


def test_every_file_of_rows_has_a_command():
    table = tables.Pages().table
    named = {source["file"] for source in table["sources"].values()}
    assert {path.name for path in FOLDER.glob("*.json")} <= named
    assert set(table["commands"]) == named


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_says_what_was_published_and_measured(path):
    head = path.read_text().partition("\n\n")[0].split("\n")
    comments = [line for line in head if line.startswith("#")]
    for name, word in (("Published", "Published"), ("Measured", "[Mm]easured")):
        (line,) = [line for line in comments if line.startswith(f"# {name}: ")]
        assert not [other for other in comments if re.search(rf"\b{word}\b", other) and other != line]
    table = tables.Pages().table["published"]
    assert set(table) == {preset.stem for preset in PRESETS}
    if isinstance(found := table[path.stem], dict):
        assert found["accuracy"] > 50
        assert found["n"] >= 1
        assert (
            f"# Published: {found['accuracy']:.2f} %, n = {found['n']}, {found['how']}; {found['source']}." in comments
        )


def sections(page):
    """The headings' texts without generated tables and code, each up to the next heading."""
    text = tables.BLOCK.sub("", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE))
    return re.split(r"^#+ ", text, flags=re.MULTILINE)


def unmarked(page):
    """The heads of the tables of measured numbers on a page that neither have rows nor say that they have none."""
    found = []
    for section in sections(page):
        for head in re.finditer(r"^(\|.*\|)\n\|[-:| ]+\|$", section, re.MULTILINE):
            measured = page.name == "results.md" or (MEASURED.search(head[1]) and head[1] not in NOT_MEASURED)
            if measured and "Raw rows not kept" not in section[: head.start()]:
                found.append(head[1])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_table_without_rows_says_so(page):
    assert unmarked(page) == []


def test_a_table_without_rows_is_found(tmp_path):
    page = tmp_path / "page.md"
    table = "| what | images/s |\n|---|---:|\n| a | 94 |\n"
    page.write_text(
        f"# A\n\nRaw rows not kept.\n\n# B\n\n{table}\n```\n{table}```\n<!-- rows: x -->\n{table}<!-- end of x -->"
    )
    assert unmarked(page) == ["| what | images/s |"]
    page.write_text(f"# A\n\nRaw rows not kept.\n\n{table}")
    assert unmarked(page) == []


@pytest.fixture
def pages(tmp_path):
    """A checkout of one page and one preset, with the rows of three trainings."""
    folder = tmp_path / "docs/measurements"
    folder.mkdir(parents=True)
    (tmp_path / "workflow/presets").mkdir(parents=True)
    (tmp_path / "workflow/presets/one.yaml").write_text(
        "# One.\n# Published: not yet.\n# Measured: not yet.\nseeds: 3\n"
    )
    (tmp_path / "params.yaml").write_text("# All.\n# Published: not yet.\n# Measured: not yet.\nseeds: 3\n")
    (tmp_path / "docs/page.md").write_text("# Page\n\n<!-- rows: t -->\n<!-- end of t -->\n\nText.\n")
    rows = [{"seed": seed, "first_step": 0, "resumed": 0, "values": {"accuracy": value, "a": 3, "b": 2}}
            for seed, value in enumerate(ACCURACIES)]  # fmt: skip
    found = {
        "what": "x", "command": "y", "commit": "f" * 40, "dirty": False, "date": "2026-01-02T00:00:00Z",
        "host": {"system": "Linux", "cpu": "A CPU", "cores": 2}, "packages": {"python": "3.12", "torch": "2.15"},
        "rows": rows,
    }  # fmt: skip
    (folder / "x.json").write_text(json.dumps(found))
    (folder / "tables.yaml").write_text(yaml.safe_dump({
        "values": {"accuracy": {"scale": "percent", "digits": 2}, "a/b": {"scale": "positive", "digits": 1}},
        "sources": {"x": {"file": "x.json"}, "later": {"file": "later.json"}},
        "commands": {"later.json": {"time": "1 min", "command": "measure"}},
        "pages": {"docs/page.md": {"t": {"heads": ["what", "%", "n"], "lines": [
            ["the 3 seeds", "{x interval accuracy}", "{x n}"], ["later", "{later interval accuracy}", "{later n}"],
        ]}}},
        "presets": {"one": "{x interval accuracy} %", "params": "{later interval accuracy} %"}, "not kept": {},
        "published": {"one": {"accuracy": 94.2, "n": 5, "how": "on a GPU", "source": "a paper"}, "params": "nothing"},
    }))  # fmt: skip
    make(tmp_path)
    return tmp_path


def make(root):
    """Make the tables; the pages must be right afterwards."""
    for path, text in tables.Pages(root).stale():
        path.write_text(text)
    assert tables.Pages(root).stale() == []


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_table_is_made_from_the_rows(pages):
    page = (pages / "docs/page.md").read_text()
    assert re.search(r"^\| the 3 seeds +\| +94\.10 \(93\.\d\d to 94\.\d\d\) +\| +3 \|$", page, re.MULTILINE)
    assert "later" not in page
    assert "Rows: [measurements/x.json](measurements/x.json), 2026-01-02, commit fffffff.\n" in page
    assert page.startswith("# Page\n")
    assert page.endswith("<!-- end of t -->\n\nText.\n")
    preset = (pages / "workflow/presets/one.yaml").read_text()
    assert re.search(
        r"^# Published: 94\.20 %, n = 5, on a GPU; a paper\.\n"
        r"# Measured: 94\.10 \(.*\) %, A CPU, 2 cores, 2026-01-02; 0\.10 points below the published value\. "
        r"Rows: docs/measurements/x\.json$",
        preset,
        re.MULTILINE,
    )
    assert (pages / "params.yaml").read_text() == "# All.\n# Published: nothing.\n# Measured: not yet.\nseeds: 3\n"
    assert tables.Pages(pages).faults() == []
    assert tables.planned(tables.Pages(pages)) == [
        "later.json: 1 min\n  measure --measurement docs/measurements/later.json"
    ]


def test_rows_and_a_page_that_differ_are_found(pages):
    edit(pages / "docs/measurements/x.json", "94.5", "94.4")
    assert tables.Pages(pages).faults() == [
        "docs/page.md differs from its rows; run make tables",
        "workflow/presets/one.yaml differs from its rows; run make tables",
    ]
    edit(pages / "docs/measurements/x.json", "94.4", "94.5")
    edit(pages / "docs/page.md", "94.10 (", "94.20 (")
    assert tables.Pages(pages).faults() == ["docs/page.md differs from its rows; run make tables"]


def test_numbers_without_rows_and_rows_without_a_table_are_found(pages):
    edit(pages / "docs/measurements/tables.yaml", "'{x n}'", "'{x n} in 12 s'")
    shutil.copy(pages / "docs/measurements/x.json", pages / "docs/measurements/z.json")
    assert tables.Pages(pages).faults()[:2] == [
        "z.json is in no table", "docs/page.md, t: '12' in '{x n} in 12 s' has no rows"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{x interval accuracy}'", "{y interval accuracy}'", "no such source"),
        ("{x interval accuracy}'", "{x interval nothing}'", "a value of tables.yaml"),
        ("{x interval accuracy}'", "{x interval a/b} {x mode accuracy}'", "a statistic"),
        ("file: x.json", "file: gone.json", "gone.json is missing; measure it, or list its command"),
        ("file: x.json", "file: x.json\n    variant: none", "no rows of variant 'none'"),
        ("  a/b:", "  c:\n    digits: 1\n    scale: any\n  a/b:", None),
    ],
)
def test_a_placeholder_that_cannot_be_filled_is_refused(pages, old, new, message):
    edit(pages / "docs/measurements/tables.yaml", old, new)
    if message is None:
        edit(pages / "docs/measurements/tables.yaml", "'{x n}'", "'{x mean c}'")
        message = "x.json: seed 0 '' has no value c"
    with pytest.raises(InputError, match=re.escape(message)):
        tables.Pages(pages).faults()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"first_step": 224, "resumed": 1}, "94.10 (no interval: 2 of 3 trainings are independent)"),
        ({"after_first_step": "one"}, "94.10 (no interval: 2 of 3 trainings are independent)"),
    ],
)
def test_trainings_that_are_not_independent_have_no_interval(pages, row, expected):
    path = pages / "docs/measurements/x.json"
    found = json.loads(path.read_text())
    found["rows"][2] |= row
    if "after_first_step" in row:
        found["rows"][1] |= row
    path.write_text(json.dumps(found))
    assert len(tables.Pages(pages).faults()) == 2
    make(pages)
    assert f"| {expected} |" in (pages / "docs/page.md").read_text()
    cells = tables.Pages(pages).cells
    assert cells.cell("x", "at", "accuracy", "94") == "67 % (no interval: 2 of 3 trainings are independent)"
    assert cells.cell("x", "ratio", "accuracy", "x") == "1.000 (no interval: 2 of 3 trainings are independent)"


def test_statistics_of_rows(pages):
    cells = tables.Pages(pages).cells
    found = {name: cells.fill(f"{{x {name}}}") for name in (
        "mean accuracy", "median accuracy", "range accuracy", "each accuracy", "std accuracy", "mean a/b", "n", "host",
        "torch", "date", "at accuracy 94",
    )}  # fmt: skip
    assert found == {
        "mean accuracy": "94.10", "median accuracy": "94.00", "range accuracy": "93.80 to 94.50",
        "each accuracy": "94.00, 94.50, 93.80", "std accuracy": "0.36", "mean a/b": "1.5", "n": "3",
        "host": "A CPU, 2 cores", "torch": "2.15", "date": "2026-01-02", "at accuracy 94": "67 % (21 to 94)",
    }  # fmt: skip
    assert re.fullmatch(r"1\.000 \(0\.99\d to 1\.00\d\)", cells.cell("x", "ratio", "accuracy", "x"))


def test_repetitions_have_no_interval_over_seeds(pages):
    path = pages / "docs/measurements/x.json"
    found = json.loads(path.read_text())
    found["rows"] = [{"repetition": i, "values": {"accuracy": 94.0 + i}} for i in range(2)]
    path.write_text(json.dumps(found))
    filled = tables.Pages(pages).cells.cell("x", "interval", "accuracy")
    assert filled == "94.50 (no interval: repetitions of a benchmark have no interval over seeds)"


def test_the_command_checks_this_checkout():
    line = [sys.executable, ROOT / "tests/bench/tables.py", "--check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_template_can_be_filled(tmp_path):
    pages = tables.Pages()
    for name in (*pages.table["pages"], *(str(path.relative_to(ROOT)) for path in PRESETS)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(FOLDER, tmp_path / "docs/measurements")
    good = json.loads(next(FOLDER.glob("*.json")).read_text())
    values = [name for name in pages.cells.kinds if "/" not in name]
    variants = {}
    for source in pages.table["sources"].values():
        variants.setdefault(source["file"], []).append(source.get("variant", ""))
    for file, names in variants.items():
        rows = [
            {
                "variant": name,
                "seed": seed,
                "first_step": 0,
                "resumed": 0,
                "values": dict.fromkeys(values, 0.5 + seed / 9),
            }
            for name in names
            for seed in range(3)
        ]
        (tmp_path / "docs/measurements" / file).write_text(json.dumps(good | {"rows": rows}))
    make(tmp_path)
    assert tables.Pages(tmp_path).faults() == []
    assert tables.planned(tables.Pages(tmp_path)) == []
    text = (tmp_path / "docs/race.md").read_text()
    assert "(no interval" not in text
    assert "Not measured yet" not in text
    assert "not kept" not in (tmp_path / "workflow/presets/cpu.yaml").read_text()
