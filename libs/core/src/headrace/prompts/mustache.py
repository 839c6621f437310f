"""Templates in mustache, rendered by the library `pystache` (extra `mustache`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Literal

from headrace.errors import InputError, MissingPackageError
from headrace.prompts.fields import Text

TemplateFormat = Literal["f-string", "mustache"]
_TAG = re.compile(r"\{\{(\{|[#^/&!>=]?)\s*([^{}]*?)\s*[=}]?\}\}", re.DOTALL)
_OPENS = ("#", "^")


def written(template: str, form: TemplateFormat) -> Text | Mustache:
    """The template read; InputError for a format that is not known."""
    if form == "f-string":
        return Text(template)
    if form == "mustache":
        return Mustache(template)
    raise InputError(f'`template_format` is "f-string" or "mustache", not {form!r}')


class Mustache:
    """A text in mustache; `names` are what it reads outside of sections, in order.

    Values are text, numbers, lists and dicts; others are shown as text, so a template from
    elsewhere reads no attribute and calls nothing. Nothing is escaped for HTML.
    """

    __slots__ = ("_parsed", "_renderer", "names", "template")
    format_name: Literal["mustache"] = "mustache"

    def __init__(self, template: str) -> None:
        if not isinstance(template, str):
            raise InputError(f"a template is a str, not {template!r}")
        library = _library()
        self.template, self.names = template, _names(template)
        self._renderer = library.Renderer(escape=str, missing_tags="ignore", search_dirs=[])
        try:
            self._parsed = library.parse(template)
        except Exception as error:  # the library's own errors, which have no common root
            raise InputError(f"the mustache template cannot be read: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return Mustache, (self.template,)

    def format(self, values: Mapping[str, Any]) -> str:
        """The text with the values in place."""
        given = {name: _plain(values[name]) for name in self.names}
        return str(self._renderer.render(self._parsed, given))


def _library() -> Any:
    try:
        return import_module("pystache")
    except ImportError:
        raise MissingPackageError(
            "templates in mustache need pystache: pip install 'headrace[mustache]'"
        ) from None


def _names(template: str) -> tuple[str, ...]:
    """The variables of a template; what stands inside a section belongs to its value."""
    found: list[str] = []
    depth = 0
    for kind, name in _TAG.findall(template):
        if kind in (">", "="):
            what = "partials" if kind == ">" else "other delimiters"
            raise InputError(f"a mustache template takes no {what}: {{{{{kind}{name}}}}}")
        if kind == "!" or (depth and kind not in ("#", "^", "/")):
            continue
        if kind == "/":
            depth -= 1
            continue
        if not depth and name != ".":
            found.append(name.partition(".")[0])
        depth += kind in _OPENS
    if depth:
        raise InputError(f"a section of the mustache template is not closed: {template!r}")
    return tuple(dict.fromkeys(found))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return str(value)
