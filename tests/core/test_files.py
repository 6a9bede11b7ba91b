"""Files: tables are read back, and no cell is a formula; a full disk; what is no file."""

import csv
import errno
import os
import re
from pathlib import Path

import pytest

from dawn.core import cli
from dawn.core.cli import InputError
from dawn.core.files import open_plain, replacing, table_text, write_table
from dawn.core.reading import read_table

HOSTILE = [
    "a, b", 'a "quoted" name', "=1+1", '=HYPERLINK("http://x.org","y")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1",
    "'=1", "''+1", "'plain", "two\nlines", "a\rb", "a\r\nb", "a\u2028b", " spaces ", "", "ü|`<b>", "![x](http://x.org/x.png)",
]  # fmt: skip


@pytest.mark.parametrize("separator", [",", "\t"])
def test_hostile_names_are_read_back(tmp_path, separator):
    path = tmp_path / "table"
    write_table(path, ("name", "value", "none"), [(name, 0.5, None) for name in HOSTILE], separator)
    assert [row["name"] for row in read_table(path, separator)] == HOSTILE
    assert {(row["value"], row["none"]) for row in read_table(path, separator)} == {("0.5", "")}
    with path.open(newline="") as file:
        found = [row["name"] for row in csv.DictReader(file, delimiter=separator)]
    assert not [name for name in found if name.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [name.lstrip("'") for name in found] == [name.lstrip("'") for name in HOSTILE]


def test_columns_are_made_safe_and_numbers_stay_numbers():
    assert table_text(["=a", "b"], [(-1.5, True)]) == "'=a,b\n-1.5,True\n"


def test_a_table_whose_names_have_commas_unquoted_is_refused(tmp_path):
    path = tmp_path / "confusion.csv"
    path.write_text("actual,predicted\ncat, tame,dog\n")
    with pytest.raises(InputError, match="rows of other columns than actual, predicted; delete it"):
        read_table(path)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_reported_with_the_file(tmp_path, code):
    reason = re.escape(f"{tmp_path}/a.bin cannot be written ({os.strerror(code)})")
    with pytest.raises(InputError, match=reason), replacing(tmp_path / "a.bin"):
        raise OSError(code, os.strerror(code))
    assert not list(tmp_path.iterdir())


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, kind in ((tmp_path / "fifo", "a FIFO"), (Path("/dev/zero"), "a device")):
        with pytest.raises(OSError, match=f"{kind}, not a file"):
            open_plain(path)


def test_a_command_called_by_hand_says_what_it_has_replaced(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("DAWN_LOG", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    there, folder = tmp_path / "there.png", tmp_path / "folder"
    there.touch()
    folder.mkdir()

    def said(path):
        monkeypatch.setattr(cli, "REPLACED", [])
        cli.run(lambda: cli.output(str(path)))
        return capsys.readouterr().err

    assert said(there) == f"{there} was there: replaced\n"
    assert said(tmp_path / "new.png") == said(folder) == ""
    (folder / "0.png").touch()
    assert said(folder) == f"{folder} was there: files of the same names in it are replaced\n"
    monkeypatch.setenv("DAWN_LOG", "x.log")  # a rule's output, which Snakemake has deleted
    monkeypatch.setattr(cli, "REPLACED", [])
    assert cli.output(str(there)) == there
    assert cli.REPLACED == []
