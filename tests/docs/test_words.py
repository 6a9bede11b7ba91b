"""Plain technical English: the field's standard terms, and none of the private ones that this project once had.

A judge is a network whose features measure the samples of a GAN; nothing else is one, and nobody judges.
"""

import ast
import re
import subprocess

from conftest import ROOT

from dawn.core.code_deps import HERE

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


# Values that were called so say what they are now. A name is bound by = or :=, in a loop, or as a parameter.
BOUND = re.compile(
    r"(?m)(?:^ *|\bfor |, |\(|lambda )(?:found|own|each)(?:,| in |: \w| [|+]?= |\) =)|\b(?:found|own|each) :="
)
ASKING = re.compile(r'"""(?:Whether|What|How|Which|Who|When|Where|Those|Of|By) ')  # a docstring without a verb
HEAD = re.compile(r"( *)(?:def|class|@\w*property)")


def test_names_say_what_a_value_is_and_docstrings_of_functions_have_a_verb():
    named, asking = [], []
    for path in HERE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if BOUND.search(text) else ():  # it may be a sentence
            if getattr(node, "id", getattr(node, "arg", None)) in ("found", "own", "each"):
                named.append(f"{path.name}:{node.lineno}")
        lines = text.splitlines()
        for number in (i for i, line in enumerate(lines) if ASKING.search(line)):
            heads = [line.strip() for line in lines[:number] if HEAD.match(line)][-2:]
            if heads and heads[-1].startswith("def") and "property" not in heads[0]:
                asking.append(f"{path.name}:{number + 1}: {lines[number].strip()}")
    assert named == []
    assert asking == []
