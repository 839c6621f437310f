"""Texts with `{fields}`: the exact and safe part of Python's format strings.

A field is a name, with an optional `!r`, `!s` or `!a` and a format spec without fields of its
own. There is no access to attributes or items, so that a template from elsewhere can read
nothing but what it is given.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal

from headrace.errors import InputError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = re.compile(r"[^\W\d][\w-]*")
_HUGE = re.compile(r"\d{5,}")  # a width that would make megabytes of one field
_CONVERSIONS: dict[str, Any] = {"r": repr, "s": str, "a": ascii}
_parse = Formatter().parse


class Text:
    """A text with fields, read once; `names` are those of its fields, in order."""

    __slots__ = ("_parts", "names", "template")
    format_name: Literal["f-string"] = "f-string"

    def __init__(self, template: str) -> None:
        self.template = template
        self._parts: list[Any] = _read(template)
        fields = (part[0] for part in self._parts if not isinstance(part, str))
        self.names: tuple[str, ...] = tuple(dict.fromkeys(fields))

    def format(self, values: Mapping[str, Any]) -> str:
        """The text with the values in place; what they hold is not read for fields."""
        return "".join(
            part if part.__class__ is str else _filled(values[part[0]], *part)
            for part in self._parts
        )


def _filled(value: Any, name: str, conversion: str | None, spec: str) -> str:
    if conversion is not None:
        value = _CONVERSIONS[conversion](value)
    if not spec:
        return str(value)
    try:
        return format(value, spec)
    except (ValueError, TypeError) as error:
        raise InputError(f"the field `{name}`: {error}") from error


def _read(template: str) -> list[Any]:
    """The texts between the fields, and (name, conversion, spec) of each field."""
    if not isinstance(template, str):
        raise InputError(f"a template is a str, not {template!r}")
    parts: list[Any] = []
    try:
        for text, name, spec, conversion in _parse(template):
            if text:
                parts.append(text)
            if name is not None:
                _check(name, spec or "", conversion)
                parts.append((name, conversion, spec or ""))
    except InputError as error:
        raise InputError(f"{error}; in the template {_shown(template)}") from None
    except ValueError as error:
        raise InputError(
            f"{error}; write {{{{ and }}}} for braces that are text; "
            f"in the template {_shown(template)}"
        ) from error
    return parts


def _check(name: str, spec: str, conversion: str | None) -> None:
    if not _NAME.fullmatch(name):
        why = (
            "a field takes no attributes and no items; give the value under a name of its own"
            if re.match(r"[^\W\d]\w*[.\[]", name)
            else "a field is a name; write {{ and }} for braces that are text"
        )
        raise InputError(f"`{{{name}}}` is no field: {why}")
    if conversion is not None and conversion not in _CONVERSIONS:
        raise InputError(f"the field `{name}` has the unknown conversion `!{conversion}`")
    if "{" in spec or "}" in spec or _HUGE.search(spec):
        raise InputError(f"the field `{name}` has a format spec that is not plain: {spec!r}")


def _shown(template: str) -> str:
    return repr(template if len(template) <= 200 else f"{template[:197]}...")


def check_given(what: str, needed: Iterable[str], given: Mapping[str, Any]) -> None:
    """Raises InputError that names what is missing, what is needed and what was given."""
    names = list(needed)
    missing = [name for name in names if name not in given]
    if missing:
        said = ", ".join(f"`{name}`{suggestion(name, given)}" for name in missing)
        raise InputError(
            f"{what} misses {said}; it needs {_listed(names)}, and was given {_listed(given)}"
        )


def check_known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raises InputError for a name that is not a variable of the prompt."""
    there = list(known)
    for name in names:
        if name not in there:
            hint = suggestion(name, there)
            raise InputError(f"{what} has no variable `{name}`{hint}; it has {_listed(there)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
