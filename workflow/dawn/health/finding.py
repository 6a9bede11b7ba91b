"""What a look at this machine found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``none`` is something that is not here and need not be."""

    state: Literal["ok", "none", "wrong"]
    words: str
    remedy: str = ""
