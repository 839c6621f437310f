"""What is known of each parameter: by the model's profile, and by the `Wire` of its service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.chat_models.effort import FORMS, Effort, Form
from headrace.chat_models.prompt_caching import MarkPlace
from headrace.tools.compiling import SchemaDialect

# A parameter -> the fact of a profile that says in general whether the model takes it.
_ABILITIES: Mapping[str, str] = {
    "temperature": "temperature",
    "tools": "tool_calling",
    "tool_choice": "tool_choice",
    "json_schema": "structured_output",
    "reasoning_effort": "reasoning_output",
}
# A parameter -> the fact that is its upper bound.
BOUNDS: Mapping[str, str] = {"max_tokens": "max_output_tokens"}


def _plain(effort: Effort) -> dict[str, Any]:
    return {"reasoning_effort": effort}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a service takes what is asked: data of a partner, each line with its source there.

    `names`: what goes out under another name. `takes`: parameters it documents; `lacks`: those
    it refuses or ignores. `ranges`: least and most. `forms`, `levels`: see `effort.ways_of`;
    `spell`: the keys of the body that carry an effort. `media`: forms of content, None: all;
    `media_known`: they are documented. `schemes`: of URLs whose content it fetches itself, so
    that it counts as data. `required`: what must be sent, each with the value for
    where neither caller nor profile has one. `schemas`: the JSON Schema it takes where it
    enforces one; None: the partner's encoder sees to that. `marks`: where it takes the portable
    cache mark; `caches_itself`: it caches prompts unasked. A partner whose encoder does something
    about `cache_prompt` names it in `takes`.
    """

    service: str = "its service"
    names: Mapping[str, str] = field(default_factory=dict)
    takes: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    forms: frozenset[Form] = FORMS
    levels: tuple[str, ...] | None = None
    spell: Callable[[Effort], dict[str, Any]] = _plain
    media: frozenset[str] | None = None
    media_known: bool = True
    schemes: frozenset[str] = frozenset()
    developer_role: bool | None = None
    required: Mapping[str, Any] = field(default_factory=dict)
    schemas: SchemaDialect | None = None
    marks: frozenset[MarkPlace] = frozenset()
    caches_itself: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of one parameter: whether it is taken, within what, under what condition."""

    takes: bool | None
    reason: str = ""
    least: float | None = None
    most: float | None = None
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def fit(self, asked: Any) -> Any:
        """A number brought within the bounds; of a list the first items; all else as it is."""
        if isinstance(asked, list | tuple):
            return asked if self.most is None else asked[: int(self.most)]
        if not isinstance(asked, int | float) or isinstance(asked, bool):
            return asked
        value: float = asked
        if self.least is not None:
            value = max(value, self.least)
        if self.most is not None:
            value = min(value, self.most)
        return value if value == asked else type(asked)(value)

    @property
    def range(self) -> str:
        """The bounds in words."""
        if self.least is None or self.most is None:
            return f"at most {self.most:g}" if self.most is not None else f"{self.least:g} or more"
        return f"{self.least:g} to {self.most:g}" if self.least < self.most else f"{self.most:g}"


_UNKNOWN = Limits(None)


def limits_of(name: str, facts: Mapping[str, Any], wire: Wire, model: str) -> Limits:
    """What profile and service know of a parameter; the profile first."""
    known = (facts.get("parameters") or {}).get(name)
    able = facts.get(_ABILITIES.get(name, ""))
    if known is False or (known is None and able is False):
        return Limits(False, f"`{model}` does not take `{name}`")
    if name in wire.lacks:
        return Limits(False, f"`{wire.service}` does not take `{name}`")
    bound = facts.get(BOUNDS.get(name, ""))
    if known is able is bound is None and name not in wire.takes and name not in wire.ranges:
        return _UNKNOWN
    taken, known = known is not None, known or {}
    least, most = wire.ranges.get(name, (None, None))
    mosts = [one for one in (most, known.get("maximum"), bound) if one is not None]
    leasts = [one for one in (least, known.get("minimum")) if one is not None]
    documented = bool(facts) and (name in wire.takes or name in wire.ranges)
    takes = True if taken or able is True or bound is not None or documented else None
    return Limits(
        takes, "", max(leasts, default=None), min(mosts, default=None), known.get("when") or {}
    )
