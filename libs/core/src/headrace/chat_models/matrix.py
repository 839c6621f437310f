"""What becomes of each standard parameter and kind of content when one model is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from headrace.chat_models.adapting import EFFORT, adapt
from headrace.chat_models.carrying import SEEN_BY, sees
from headrace.chat_models.effort import ways_of
from headrace.chat_models.notes import Notes
from headrace.chat_models.options import aliases_of
from headrace.chat_models.prompt_caching import SWITCH
from headrace.chat_models.settings import ResponseFormat, Settings
from headrace.chat_models.timeouts import Timeout, Watch
from headrace.chat_models.wires import Wire, limits_of
from headrace.errors import InputError, UnsupportedParameterError, suggestion
from headrace.profiles import FIELDS

if TYPE_CHECKING:
    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.model import Model

Outcome = Literal[
    "sent", "renamed", "clamped", "translated", "left out", "refused", "unknown"
]  # fmt: skip
_WORST: tuple[Outcome, ...] = (
    "unknown", "sent", "renamed", "clamped", "translated", "left out", "refused",
)  # fmt: skip
_TOOL = {"name": "probe", "description": "", "parameters": {"type": "object", "properties": {}}}

# Each standard parameter with the values asked for: the far end of its usual range.
PROBES: Mapping[str, tuple[Any, ...]] = {
    "temperature": (2.0,),
    "top_p": (0.5,),
    "frequency_penalty": (2.0,),
    "presence_penalty": (2.0,),
    "max_tokens": (1000,),
    "stop": (("END",),),
    "seed": (1,),
    "n": (2,),
    "logprobs": (True,),
    "top_logprobs": (5,),
    "logit_bias": ({"1": 1},),
    "verbosity": ("low",),
    EFFORT: ("low", "medium", "high"),
    "tools": (True,),
    "tool_choice": ("any",),
    "parallel_tool_calls": (False,),
    "json_mode": (True,),
    "json_schema": (True,),
}
DEVELOPER = "developer message"
# Rows of content: the form it has, and its kind (None: whatever the file is).
CONTENT: Mapping[str, tuple[str, str | None]] = {
    "image": ("image_data", "image"),
    "image by URL": ("image_url", "image"),
    "audio": ("audio_data", "audio"),
    "video": ("video", "video"),
    "pdf": ("file_data", "pdf"),
    "pdf by URL": ("file_url", "pdf"),
    "file by id": ("file_id", None),
}
_BUILT_IN = frozenset({"stop", "tools", "tool_choice", "json_mode", "json_schema"})


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter: what was asked for trial, what would be sent, and why.

    `outcome` is the worst of `outcomes`, one for each value asked; "unknown" is sent as asked,
    "refused" an error before any request.
    """

    parameter: str
    outcome: Outcome
    asked: tuple[Any, ...] = ()
    sent: tuple[Any, ...] = ()
    reason: str = ""
    outcomes: tuple[Outcome, ...] = ()


def parameter_matrix(model: Model[Any]) -> tuple[Row, ...]:
    """A row for each standard parameter and kind of content, for this model at its service.

    Of a model under layers the specification is looked at. Pure: nothing is sent.
    """
    spec = model.spec
    if spec is None:
        raise InputError("which model it is, a call's `configurable` decides; give a model")
    facts, wire = spec.profile.facts, spec._wire()
    rows = [_row(spec, name, values) for name, values in PROBES.items()]
    rows.append(_developer_row(wire))
    for name, (form, kind) in CONTENT.items():
        seen, reason = sees(form, kind, facts, wire, spec.model)
        outcome: Outcome = "unknown" if seen is None else "sent" if seen else "refused"
        rows.append(Row(name, outcome, reason=reason or ""))
    return tuple(rows)


def _developer_row(wire: Wire) -> Row:
    match wire.developer_role:
        case None:
            return Row(DEVELOPER, "unknown")
        case True:
            return Row(DEVELOPER, "sent", ("developer",), ("developer",))
    reason = f"`{wire.service}` has no such role"
    return Row(DEVELOPER, "translated", ("developer",), ("system",), reason)


def _row(model: BaseChatModel, name: str, values: tuple[Any, ...]) -> Row:
    if name not in _BUILT_IN and name not in type(model).model_fields:
        reason = f"`{type(model).__name__}` has no such parameter"
        return Row(name, "left out", values, (None,) * len(values), reason)
    tried = [_tried(model, name, value) for value in values]
    worst = max(tried, key=lambda one: _WORST.index(one.outcome))
    sent = tuple(one.sent[0] for one in tried)
    outcomes = tuple(one.outcome for one in tried)
    return Row(name, worst.outcome, values, sent, worst.reason, outcomes)


def _tried(model: BaseChatModel, name: str, value: Any) -> Row:
    facts, wire = model.profile.facts, model._wire()
    settings = _asking(model, name, value)
    try:
        adapt(settings, facts, replace(wire, required={}), model.model, settings.notes)
    except UnsupportedParameterError as error:
        return Row(name, "refused", (value,), (None,), str(error).partition(";")[0])
    record = next((one for one in settings.notes.records if one["name"] == name), None)
    if record is not None:
        return Row(name, record["action"], (value,), (record["sent"],), record["reason"])
    outcome: Outcome = "unknown" if supports(model, name) is None else "sent"
    return Row(name, outcome, (value,), (value,))


def _asking(model: BaseChatModel, name: str, value: Any) -> Settings:
    """Settings in which only this one parameter is asked for."""
    needs_tool = name in ("tools", "tool_choice", "parallel_tool_calls")
    form = None
    if name in ("json_mode", "json_schema"):
        form = ResponseFormat("probe", _TOOL["parameters"], name)  # type: ignore[arg-type]
    given = name not in ("tools", "tool_choice", "json_mode", "json_schema", "stop")
    return Settings(
        {"model": model.model, **({name: value} if given else {})},
        Watch(Timeout()),
        (_TOOL,) if needs_tool else (),
        value if name == "tool_choice" else None,
        form,
        value if name == "stop" else (),
        Notes("adapt", "raise", model.model, []),
    )


def supports(model: BaseChatModel, name: str) -> bool | None:
    """Whether a model takes a parameter, or sees a kind of content; None where nobody knows.

    Raises InputError for a name that is no parameter, kind of content or fact of a profile.
    """
    cls, facts, wire = type(model), model.profile.facts, model._wire()
    field = aliases_of(cls).get(name, name)
    if field == EFFORT:
        return _effort_works(facts, wire)
    if field == SWITCH:
        return field in wire.takes
    if field in _BUILT_IN or (field in cls.model_fields and field not in cls.plumbing):
        taken = limits_of(field, facts, wire, model.model).takes
        return facts.get(field) if taken is None and _is_ability(field) else taken
    if field in cls.plumbing:
        return True  # headrace's own business, whatever the model
    if field in PROBES:
        return False
    if field == DEVELOPER:
        return wire.developer_role
    if field in SEEN_BY or field in CONTENT:
        form, kind = CONTENT[field]
        return sees(form, kind, facts, wire, model.model)[0]
    if _is_ability(field):
        return facts.get(field)
    known = {*PROBES, *CONTENT, DEVELOPER, *cls.model_fields, *FIELDS}
    raise InputError(
        f"`{name}` is no parameter of `{cls.__name__}`, kind of content or ability"
        f"{suggestion(name, known)}"
    )


def _is_ability(name: str) -> bool:
    return name in FIELDS and FIELDS[name].kind == "bool"


def _effort_works(facts: Mapping[str, Any], wire: Wire) -> bool | None:
    if limits_of(EFFORT, facts, wire, "").takes is False:
        return False
    ways = ways_of(facts, wire.forms, wire.levels)
    if not (ways.words or ways.tokens or ways.switch):
        return False
    return True if ways.levels is not None else None
