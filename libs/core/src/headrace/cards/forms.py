"""Forms: the JSON Schema of a model's parameters, narrowed by what is known about the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter

from headrace.chat_models import Specification

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Schema = dict[str, Any]
Override = Mapping[str, Any] | None

# Parameters that make sense only where the model has an ability, by the start of their name.
_NEEDS = {
    "reasoning": "reasoning_output",
    "thinking": "reasoning_output",
    "audio": "audio_outputs",
    "voice": "audio_outputs",
    "modalities": "audio_outputs",
    "parallel_tool_calls": "tool_calling",
}
_EXTRA = ("stop",)  # not a wire parameter of the class, but one of each request
# What validators take beyond the declared kind.
_WIDER: Mapping[str, Schema] = {
    "stop": {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "null"},
        ]
    },
    "reasoning_effort": {"type": ["string", "integer", "boolean", "null"]},
}
_EFFORTS_BY_BUDGET = ["low", "medium", "high"]


def parameter_names(cls: type[Specification]) -> list[str]:
    """The parameters of a class that shape an answer: those a form may show."""
    fields = [name for name in cls.model_fields if name not in cls.plumbing and name != "model"]
    return [*fields, *(name for name in _EXTRA if name in cls.model_fields)]


def class_schema(cls: type[Specification]) -> Schema:
    """The form of a class: what `cls(model=..., **values)` accepts, whatever the model."""
    return deepcopy(_class_schema(cls))


def parameter_schema(
    cls: type[Specification],
    profile: Mapping[str, Any],
    overrides: Mapping[str, Override] | None = None,
) -> Schema:
    """The form of one model: its class narrowed by its profile, then the overrides of its card.

    An override is laid over a parameter key by key; with `hidden` it leaves the form; None says
    that the model does not take it.
    """
    form = class_schema(cls)
    whole = form["properties"]
    properties = {
        name: _narrowed(name, spec, profile)
        for name, spec in whole.items()
        if _taken(name, profile)
    }
    for name, override in (overrides or {}).items():
        if override is None or override.get("hidden") is True:
            properties.pop(name, None)
            continue
        changed = {key: value for key, value in override.items() if key != "hidden"}
        properties[name] = {**properties.get(name, whole[name]), **changed}
    form["properties"] = properties
    return form


@cache  # classes, not instances: there are few and they stay
def _class_schema(cls: type[Specification]) -> Schema:
    properties: Schema = {}
    shared: Schema = {}
    for name in parameter_names(cls):
        info = cls.model_fields[name]
        schema = deepcopy(_WIDER.get(name)) or _field_schema(info)
        shared |= schema.pop("$defs", {})
        about = {"title": name.replace("_", " ").capitalize()}
        if info.description:
            about["description"] = info.description
        schema.pop("title", None)
        properties[name] = {**about, **_flat(schema), "default": _plain(info.get_default())}
    form = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**form, "$defs": shared} if shared else form


def _field_schema(info: FieldInfo) -> Schema:
    bounds: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(bounds).json_schema()


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _flat(schema: Schema) -> Schema:
    """`anyOf` of a kind and null as one schema, so that bounds stand where a form reads them."""
    parts = schema.get("anyOf")
    if parts is None or len(schema) > 1 or not all("type" in part for part in parts):
        return schema
    kinds = [part["type"] for part in parts]
    rich = [part for part in parts if len(part) > 1]
    if len(rich) > 1 or (rich and len(parts) > 2) or any(isinstance(kind, list) for kind in kinds):
        return schema
    flat = {**(rich[0] if rich else {}), "type": kinds}
    if "enum" in flat and "null" in kinds:
        flat["enum"] = [*flat["enum"], None]
    return flat


def _taken(name: str, profile: Mapping[str, Any]) -> bool:
    """Whether the model may take a parameter, as far as is known."""
    for start, ability in _NEEDS.items():
        if name.startswith(start) and profile.get(ability) is False:
            return False
    if profile.get("parameters", {}).get(name) is False or profile.get(name) is False:
        return False
    return name != "reasoning_effort" or _efforts(profile) != ([], None)


def _narrowed(name: str, spec: Schema, profile: Mapping[str, Any]) -> Schema:
    if name == "reasoning_effort":
        return _effort_spec(spec, profile)
    limits = profile.get("parameters", {}).get(name) or {}
    bounds = {key: limits[key] for key in ("minimum", "maximum") if key in limits}
    if "values" in limits:
        bounds["enum"] = [*limits["values"], None]
    if name == "dimensions" and (own := profile.get("embedding_dimensions")):
        bounds["default"] = own
    if name == "max_tokens" and (most := profile.get("max_output_tokens")):
        bounds["maximum"] = min(most, bounds.get("maximum", most))
    for key, pick in (("minimum", max), ("maximum", min)):
        if key in bounds:
            bounds[key] = pick(bounds[key], spec.get(key, bounds[key]))
    return {**spec, **bounds}


def _efforts(profile: Mapping[str, Any]) -> tuple[list[str] | None, list[Any] | None]:
    """(levels, [least, most] tokens) that the model takes; levels None where nothing is known."""
    levels, budget = profile.get("reasoning_effort_levels"), profile.get("reasoning_budget")
    if levels is None:
        return None, budget or None
    toggle = profile.get("reasoning_toggle") is True
    words = list(levels)
    if not words and budget:
        words = list(_EFFORTS_BY_BUDGET)
    elif not words and toggle:
        words = [profile.get("reasoning_effort_default") or "medium"]
    if toggle and "none" not in words:
        words.insert(0, "none")
    return words, budget or None


def _effort_spec(spec: Schema, profile: Mapping[str, Any]) -> Schema:
    words, budget = _efforts(profile)
    if words is None:
        return spec
    about = {key: value for key, value in spec.items() if key != "type"}
    if budget is None:
        return {**about, "type": ["string", "null"], "enum": [*words, None]}
    tokens: Schema = {"type": "integer"}
    for key, bound in zip(("minimum", "maximum"), budget, strict=True):
        if bound is not None:
            tokens[key] = bound
    return {**about, "anyOf": [{"enum": [*words, None]}, tokens]}
