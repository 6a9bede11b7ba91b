"""Plain technical English: the field's standard terms, and none of the private ones that this project once had.

A judge is a network whose features measure the samples of a GAN; nothing else is one, and nobody judges.
"""

import re
import subprocess

from conftest import ROOT

BANNED = re.compile(
    r"\b(judg(ed|ing|ement|ment)|told|heats?|sealed|seals?|course|obeys?|wish(es)?|rehears\w+|lays? over|laid over"
    r"|goes on (after|from)|what it came out of|beside|seconds_beside|bill of materials|look(s|ed)? back"
    r"|bias_rate|stem_rate|tta_share|nets/|make (bill|record))\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"2018 course|fast\.ai's course|of course")
READ = ("*.py", "*.smk", "*.md", "*.yaml", "*.rst", "*.toml", "Snakefile", "Makefile", "Dockerfile", "*.def")
OLD_NAMES = {  # name the former words on purpose
    "tests/docs/test_words.py",
    "workflow/dawn/config/errors.py",
    "tests/config/test_config.py",
    "CHANGELOG.md",
}


def test_no_private_words():
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", *READ], cwd=ROOT, text=True)
    found = []
    for name in set(listed.splitlines()) - OLD_NAMES:
        path = ROOT / name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else [], 1):
            for match in BANNED.finditer(ALLOWED.sub("", line)):
                found.append(f"{name}:{number}: {match[0]}")
    assert sorted(found) == []
