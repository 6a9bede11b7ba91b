"""The result of a check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; the remedy is for a problem."""

    state: Literal["ok", "not needed", "problem"]
    text: str
    remedy: str = ""
