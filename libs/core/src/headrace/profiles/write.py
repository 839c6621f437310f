"""Writing a data file whole or not at all, and only where it belongs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.deferred import tempfile
from headrace.profiles.errors import ProfileError
from headrace.profiles.files import FOLDER, OPENING

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*")


def destination(data_dir: Path, data_id: str) -> Path:
    """`data_dir/profiles/<data_id>.json`; raises ProfileError if that could lie elsewhere."""
    if not _NAME.fullmatch(data_id):
        raise ProfileError(f"a provider's id is like `some_provider`, not {data_id!r}")
    if not data_dir.is_dir():
        raise ProfileError(f"no folder {str(data_dir)!r} (given as --data-dir)")
    path = data_dir / FOLDER / f"{data_id}.json"
    for part in (data_dir, path.parent, path):
        if part.is_symlink():
            raise ProfileError(f"{str(part)!r} is a symbolic link; nothing is written through one")
    if path.parent.exists() and not path.parent.is_dir():
        raise ProfileError(f"{str(path.parent)!r} is not a folder")
    if not path.resolve().is_relative_to(data_dir.resolve()):
        raise ProfileError(f"{str(path)!r} lies outside {str(data_dir)!r}")
    return path


def rendered(
    provider: Mapping[str, Any],
    source: str,
    aliases: Mapping[str, str],
    models: Mapping[str, Mapping[str, Any]],
) -> str:
    """The text of a data file: sorted, one model per line, the same for the same facts."""
    lines = ",\n".join(f"{_json(model)}: {_json(models[model])}" for model in sorted(models))
    text = (
        f'{{\n"provider": {_json(provider)},\n"source": {_json(source)},\n'
        f'"aliases": {_json(aliases)},\n"models": {{\n{lines}\n}}\n}}\n'
    )
    if not text.startswith(OPENING):
        raise ProfileError("a data file begins with its provider")
    return text


def replace_file(path: Path, text: str) -> None:
    """Puts the text in place of the file in one step; it never holds a part of either."""
    part = None
    try:
        path.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(part, path)
        part = None
    except OSError as error:
        raise ProfileError(f"{str(path)!r} could not be written: {error}") from error
    finally:
        if part is not None and os.path.exists(part):
            os.unlink(part)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
