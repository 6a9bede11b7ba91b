"""The types that sections of params.yaml are written in."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

Share = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]

Resize = Literal["crop", "stretch"]  # how an image becomes a square; dawn/data/image_file.py
