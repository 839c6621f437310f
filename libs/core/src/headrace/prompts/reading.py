"""Files that hold prompts, read as data."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from headrace.errors import InputError, MissingPackageError


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8; InputError that names the file."""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"the prompt file {path} cannot be read: {error}") from error


def read_data(path: str | Path) -> dict[str, Any]:
    """The dict in a .toml, .json, .yaml or .yml file; InputError that names the file."""
    text, kind = read_text(path), Path(path).suffix.lower()
    try:
        if kind == ".toml":
            found: Any = tomllib.loads(text)
        elif kind == ".json":
            found = json.loads(text)
        elif kind in (".yaml", ".yml"):
            found = _read_yaml(path, text)
        else:
            raise InputError(f"a prompt file is .toml, .json, .yaml or .yml, not {path}")
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"the prompt file {path} cannot be read: {error}") from error
    if not isinstance(found, Mapping):
        raise InputError(f"the prompt file {path} holds no table but {type(found).__name__}")
    return dict(found)


def _read_yaml(path: str | Path, text: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise MissingPackageError(
            f"{path}: prompts in YAML need PyYAML: pip install 'headrace[yaml]'"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"the prompt file {path} cannot be read: {error}") from error
