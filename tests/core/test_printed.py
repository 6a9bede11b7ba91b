"""Names with escape sequences, and other characters that are not printed, do not reach a terminal or a log raw."""

import io
import logging
import os
import subprocess
import sys

import pytest
from conftest import in_full
from seeds import write_image, write_seed

from dawn.core.cli import InputError, Printed, bare, describe, printable
from dawn.core.job_log import JobLog

HOSTILE = "a\x1b]0;owned\x07\x1b[31mb\r\x9b2J\u202ec\u2028d\udc80"
SHOWN = r"a\x1b]0;owned\x07\x1b[31mb\r\x9b2J\u202ec\u2028d\udc80"


def test_what_is_not_printable_is_escaped_and_all_else_is_kept():
    assert printable(HOSTILE) == SHOWN
    for text in ("café 猫 γάτα 😀", "a b", ""):
        assert printable(text) == text
    assert printable("a\n\tb\x1b", kept="\n\t") == "a\n\tb\\x1b"


def test_a_stream_and_its_log_are_escaped(tmp_path):
    out = io.StringIO()
    printed = Printed(out, tmp_path / "logs/a.log")
    print(f"one {HOSTILE}", file=printed)
    print("two", file=printed)
    printed.file.close()
    assert out.getvalue() == f"one {SHOWN}\ntwo\n" == (tmp_path / "logs/a.log").read_text()
    assert bare(printed) is bare(out) is out


@pytest.mark.parametrize("error", [InputError(f"{HOSTILE}: is none"), OSError(2, "No such file", HOSTILE)])
def test_an_error_is_escaped(error):
    line = describe(error)
    assert line.isprintable()
    assert r"a\x1b]0;owned\x07\x1b[31mb" in line


def test_the_lines_of_jobs_are_escaped():
    log = JobLog(logging.Formatter("%(message)s"))
    for about in (
        {"event": "job_info", "rule_msg": f"Read {HOSTILE}", "rule_name": "a", "jobid": 1},
        {"msg": f"Error {HOSTILE}"},
    ):
        record = logging.makeLogRecord(about)
        log.filter(record)
        assert SHOWN in log.format(record)


@pytest.mark.parametrize("form", ["table", *in_full("csv", "json")])
def test_a_command_prints_hostile_names_escaped(tmp_path, form):
    seed, folder = write_seed(tmp_path / "seed-0"), tmp_path / "photos"
    name = os.fsdecode(b"\x1b[31mred\x9b\r.png")
    write_image(folder / name)
    (folder / f"bad{name}").write_bytes(b"none")
    line = [sys.executable, "-m", "dawn.predict", "--model", seed, "--format", form, folder]
    done = subprocess.run(line, capture_output=True, check=False, env=os.environ | {"DAWN_LOG": str(tmp_path / "log")})
    assert done.returncode == 1
    everything = done.stdout + done.stderr + (tmp_path / "log").read_bytes()
    assert b"31mred" in done.stdout
    assert rb"bad\x1b[31mred" in done.stderr
    assert not {0x1B, 0x9B, 0x0D} & set(everything)
