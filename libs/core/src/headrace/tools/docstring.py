"""What a docstring says of a function and, Google style, of its arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import cleandoc

_HEADING = re.compile(r"(?:Args|Arguments|Parameters|Params):\s*$")
_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+)(?:\s*\(.*?\))?:(?:\s+(?P<text>.*))?$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """`whole` as written; `text` without the section of arguments that `arguments` holds.

    `clear` is False where there is such a section and it cannot be read.
    """

    whole: str
    text: str
    arguments: dict[str, str] = field(default_factory=dict)
    clear: bool = True


def read_docstring(doc: str | None) -> Docstring:
    """A docstring taken apart."""
    whole = cleandoc(doc or "").strip()
    lines = whole.splitlines()
    start = next((at for at, line in enumerate(lines) if _HEADING.match(line)), None)
    if start is None:
        return Docstring(whole, whole)
    after = range(start + 1, len(lines))
    end = next((at for at in after if lines[at][:1].strip()), len(lines))
    arguments = _entries(lines[start + 1 : end])
    if arguments is None:
        return Docstring(whole, whole, clear=False)
    parts = ("\n".join(lines[:start]).strip(), "\n".join(lines[end:]).strip())
    return Docstring(whole, "\n\n".join(part for part in parts if part), arguments)


def _entries(lines: list[str]) -> dict[str, str] | None:
    """`name (type): text` entries with their continuation lines; None if one is unlike that."""
    filled = [line for line in lines if line.strip()]
    indent = len(filled[0]) - len(filled[0].lstrip()) if filled else 0
    found: dict[str, str] = {}
    name = None
    for line in filled:
        if len(line) - len(line.lstrip()) > indent:
            if name is None:
                return None
            found[name] = f"{found[name]} {line.strip()}".strip()
            continue
        entry = _ENTRY.match(line.strip())
        if entry is None:
            return None
        name = entry["name"]
        found[name] = (entry["text"] or "").strip()
    return found
