"""Where each image of a split comes from."""

from pathlib import Path

from dawn.core.cli import InputError
from dawn.core.reading import read_table

FILES = "files.tsv"  # written by dawn.arrays with the arrays


def file_names(data: Path, split: str, count: int) -> list[str]:
    """The file of each of the ``count`` images, or its batch and row; the split and the row where none are named."""
    path = data / FILES
    if not path.exists():  # arrays that dawn.arrays did not write
        return [f"{split}/{row}" for row in range(count)]
    names = [row["file"] for row in read_table(path, "\t", ("split", "row", "class", "file")) if row["split"] == split]
    if len(names) != count:
        raise InputError(
            f"{path} names {len(names):,} images of the {split} split, and the arrays have {count:,}; "
            f"delete {data} to have it made again"
        )
    return names
