"""What a docstring says of a function and of its arguments: Google, NumPy or Sphinx style."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import cleandoc

_HEADING = re.compile(r"(?:Args|Arguments|Parameters|Params):\s*$")
_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+)(?:\s*\(.*?\))?:(?:\s+(?P<text>.*))?$")
_NUMPY = re.compile(r"(?:Other )?Parameters\s*$")
_RULE = re.compile(r"-{3,}\s*$")
_NUMPY_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")
_SPHINX = re.compile(
    r":(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}"
    r"(?P<name>\w+)\s*:\s*(?P<text>.*)$"
)
_SPHINX_TYPE = re.compile(r":type\s+\w+\s*:")


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
    for at, line in enumerate(lines):
        if _HEADING.match(line):
            return _under_heading(whole, lines, at)
        if _NUMPY.match(line) and at + 1 < len(lines) and _RULE.match(lines[at + 1]):
            return _numpy(whole, lines, at)
        if _SPHINX.match(line):
            return _sphinx(whole, lines)
    return Docstring(whole, whole)


def _under_heading(whole: str, lines: list[str], start: int) -> Docstring:
    after = range(start + 1, len(lines))
    end = next((at for at in after if lines[at][:1].strip()), len(lines))
    arguments = _entries(lines[start + 1 : end])
    if arguments is None:
        return Docstring(whole, whole, clear=False)
    return Docstring(whole, _joined(lines[:start], lines[end:]), arguments)


def _numpy(whole: str, lines: list[str], start: int) -> Docstring:
    """Entries `name : type` at the margin, each with its text indented below."""
    after = range(start + 2, len(lines) - 1)
    end = next((at for at in after if _RULE.match(lines[at + 1])), len(lines))
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines[start + 2 : end]:
        if not line.strip():
            continue
        if line[:1].isspace():
            if not names:
                return Docstring(whole, whole, clear=False)
            found.update({name: f"{found[name]} {line.strip()}".strip() for name in names})
            continue
        entry = _NUMPY_ENTRY.match(line)
        if entry is None:
            return Docstring(whole, whole, clear=False)
        names = [name.strip().lstrip("*") for name in entry["names"].split(",")]
        found.update(dict.fromkeys(names, ""))
    return Docstring(whole, _joined(lines[:start], lines[end:]), found)


def _sphinx(whole: str, lines: list[str]) -> Docstring:
    """Fields `:param name: text` with their continuation lines; other fields stay."""
    found: dict[str, str] = {}
    kept: list[str] = []
    name: str | None = None
    inside = False  # a field of the arguments, whose indented lines go on
    for line in lines:
        entry = _SPHINX.match(line)
        if entry is not None:
            name, inside = entry["name"], True
            found[name] = entry["text"].strip()
        elif _SPHINX_TYPE.match(line):
            name, inside = None, True
        elif inside and line[:1].isspace() and line.strip():
            if name is not None:
                found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            inside = False
            kept.append(line)
    return Docstring(whole, _joined(kept), found)


def _joined(*parts: list[str]) -> str:
    texts = ("\n".join(part).strip() for part in parts)
    return "\n\n".join(text for text in texts if text)


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
