"""Settings of a network in a Python file of the user's own."""

import ast
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dawn.tasks.classify.networks.family import Network

CHECKOUT = Path(__file__).resolve().parents[6]


def _plain(value: Any) -> Any:
    """Return a string that is a JSON number, true, false or null as that value: --config passes all as strings."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return value if isinstance(parsed, str | list | dict) else parsed


class File(Network):
    """A network in a Python file, built by ``name(classes=..., **arguments)``; the file is the user's own code."""

    family: Literal["file"]
    path: Annotated[str, Field(pattern=r"\.py$")]
    """The file; a relative path starts at the checkout, where params.yaml is."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
    """The class or function in the file that makes the network."""
    arguments: Annotated[dict[str, Any], BeforeValidator(_plain)] = Field(default={})
    """Keyword arguments in addition to ``classes``."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Checksum of the file, filled in when the settings are read; a file with another one is refused."""

    @property
    def title(self) -> str:
        """The file and the name in it."""
        return f"{Path(self.path).stem}.{self.name}"

    @property
    def file(self) -> Path:
        """The file, as an absolute path."""
        return CHECKOUT / self.path

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Fill in the checksum, so that an edit to the file changes the settings, and is a cause of training."""
        if isinstance(values, dict) and isinstance(values.get("path"), str) and values.get("sha256") is None:
            file = CHECKOUT / values["path"]
            if file.is_file():
                return {**values, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        return values

    @model_validator(mode="after")
    def _check(self) -> "File":
        if not self.file.is_file():
            raise ValueError(f"path {self.path}: there is no file {self.file}")
        text = self.file.read_bytes()
        if hashlib.sha256(text).hexdigest() != self.sha256:
            raise ValueError(
                f"path {self.path}: {self.file} is not the file that these settings are about (its SHA-256 differs); "
                "restore it, or train again"
            )
        try:
            names = defined(ast.parse(text, self.path))
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"path {self.path}: is not Python: {error}") from error
        if self.name not in names:
            raise ValueError(f"name {self.name}: {self.path} defines {', '.join(sorted(names)) or 'no name'}")
        if "classes" in self.arguments:
            raise ValueError("arguments: classes is given by the data; leave it out")
        return self


def defined(module: ast.Module) -> set[str]:
    """Return the names of the classes and functions, and the other names that are assigned, at the top of a module."""
    definitions = (ast.ClassDef, ast.FunctionDef)
    names = {node.name for node in module.body if isinstance(node, definitions)}
    targets = [target for node in module.body if isinstance(node, ast.Assign) for target in node.targets]
    return names | {target.id for target in targets if isinstance(target, ast.Name)}
