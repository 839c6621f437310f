"""From an entry of models.dev to our facts. Pure: nothing is read, nothing is written.

Format: https://models.dev/model-schema.json and its README (read 2026-07). Absent is unknown; a
limit of 0 is unknown too; of a list of modalities or reasoning controls, what is not in it is No.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.profiles.errors import ProfileError
from headrace.profiles.fields import is_number

_SAME = {  # their key -> our field; the value is taken as it is
    "name": ("name", str),
    "family": ("family", str),
    "status": ("status", str),
    "release_date": ("release_date", str),
    "last_updated": ("last_updated", str),
    "knowledge": ("knowledge", str),
    "attachment": ("attachment", bool),
    "open_weights": ("open_weights", bool),
    "tool_call": ("tool_calling", bool),
    "structured_output": ("structured_output", bool),
    "temperature": ("temperature", bool),
    "reasoning": ("reasoning_output", bool),
}  # fmt: skip
_MODALITIES = ("text", "image", "pdf", "audio", "video")
_OWN_RULE = frozenset(
    {"id", "modalities", "limit", "reasoning_options", "interleaved", "cost", "experimental",
     "provider"}
)  # fmt: skip
_PRICES = (
    "input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio",
)  # fmt: skip
_PROVIDER_TEXTS = ("name", "npm", "api", "doc")


def map_model(entry: Any, where: str) -> dict[str, Any]:
    """Our facts about one model; raises ProfileError, led by `where`, on a wrong type."""
    model = _table(entry, where)
    facts: dict[str, Any] = {}
    for key, (field, kind) in _SAME.items():
        if key in model:
            facts[field] = _is(model[key], kind, f"{where}: `{key}`")
    facts |= _modalities(_table(model.get("modalities", {}), f"{where}: `modalities`"), where)
    facts |= _limits(_table(model.get("limit", {}), f"{where}: `limit`"), where)
    if "reasoning_options" in model:
        facts |= _reasoning(model["reasoning_options"], f"{where}: `reasoning_options`")
    facts |= _interleaved(model.get("interleaved"), f"{where}: `interleaved`")
    if "cost" in model:
        facts["cost"] = _cost(model["cost"], f"{where}: `cost`")
    if modes := _modes(model.get("experimental", {}), f"{where}: `experimental`"):
        facts["modes"] = modes
    if wire := _wire(_table(model.get("provider", {}), f"{where}: `provider`"), where):
        facts["wire"] = wire
    return facts


def map_provider(entry: Any, where: str) -> dict[str, Any]:
    """What is said of a provider: name, env (names of variables), doc, and its models' wire."""
    provider = _table(entry, where)
    for key in _PROVIDER_TEXTS:
        if key in provider:
            _is(provider[key], str, f"{where}: `{key}`")
    env = _is(provider.get("env", []), list, f"{where}: `env`")
    facts: dict[str, Any] = {key: provider[key] for key in ("name", "doc") if key in provider}
    facts["env"] = [_is(name, str, f"{where}: `env`") for name in env]
    wire = {key: provider[key] for key in ("npm", "api") if key in provider}
    return facts | ({"wire": wire} if wire else {})


def unmapped_keys(models: Mapping[str, Any]) -> set[str]:
    """Keys of model entries that we have no rule for: upstream has grown."""
    known = _SAME.keys() | _OWN_RULE
    return {key for model in models.values() for key in model if key not in known}


def _modalities(modalities: Mapping[str, Any], where: str) -> dict[str, Any]:
    facts = {}
    for key, ending in (("input", "inputs"), ("output", "outputs")):
        if key not in modalities:
            continue
        listed = _is(modalities[key], list, f"{where}: `modalities.{key}`")
        for modality in _MODALITIES:
            facts[f"{modality}_{ending}"] = modality in listed
    return facts


def _limits(limit: Mapping[str, Any], where: str) -> dict[str, Any]:
    size = {key: _count(limit[key], f"{where}: `limit.{key}`") for key in limit}
    facts = {
        "context_size": size.get("context"),
        "max_input_tokens": size.get("input") or size.get("context"),
        "max_output_tokens": size.get("output"),
    }
    return {field: value for field, value in facts.items() if value}


def _reasoning(options: Any, where: str) -> dict[str, Any]:
    """The list of controls is complete: what is not in it cannot be controlled."""
    facts: dict[str, Any] = {
        "reasoning_effort_levels": [], "reasoning_toggle": False, "reasoning_budget": False,
    }  # fmt: skip
    for option in _is(options, list, where):
        match _table(option, where):
            case {"type": "toggle"}:
                facts["reasoning_toggle"] = True
            case {"type": "effort", "values": [*levels]}:
                facts["reasoning_effort_levels"] = [
                    "none" if level is None else _is(level, str, where) for level in levels
                ]
            case {"type": "budget_tokens"} as bounds:
                least, most = bounds.get("min"), bounds.get("max")
                facts["reasoning_budget"] = [
                    None if bound is None else _is(bound, int, where) for bound in (least, most)
                ]
            case _:
                raise ProfileError(f"{where} has a control of no known type: {option!r}")
    return facts


def _interleaved(value: Any, where: str) -> dict[str, Any]:
    match value:
        case None | False:
            return {}
        case True:
            return {"reasoning_interleaved": True}
        case {"field": str(field)}:
            return {"reasoning_interleaved": True, "reasoning_field": field}
    raise ProfileError(f"{where} is true or names a field, not {value!r}")


def _cost(value: Any, where: str) -> dict[str, Any]:
    cost = _table(value, where)
    facts = _prices(cost, where)
    tiers = [
        _prices(_table(tier, where), where) | {"above": _tier_size(tier, where)}
        for tier in _is(cost.get("tiers", []), list, where)
    ]
    if not tiers and "context_over_200k" in cost:  # older data; else it repeats the one tier
        over = _table(cost["context_over_200k"], where)
        tiers = [_prices(over, where) | {"above": 200_000}]
    return facts | ({"tiers": sorted(tiers, key=lambda tier: tier["above"])} if tiers else {})


def _tier_size(tier: Mapping[str, Any], where: str) -> int:
    about = _table(tier.get("tier"), f"{where}.tiers")
    if about.get("type", "context") != "context":
        raise ProfileError(f"{where}.tiers has a tier of no known type: {about!r}")
    return _count(about.get("size"), f"{where}.tiers")


def _prices(cost: Mapping[str, Any], where: str) -> dict[str, Any]:
    prices = {key: cost[key] for key in _PRICES if cost.get(key) is not None}
    for key, price in prices.items():
        if not is_number(price) or price < 0:
            raise ProfileError(f"{where}.{key} is a price, not {price!r}")
    return prices


def _modes(value: Any, where: str) -> dict[str, Any]:
    modes = _table(_table(value, where).get("modes", {}), where)
    found = {}
    for name, entry in modes.items():
        mode = _table(entry, where)
        facts: dict[str, Any] = {"cost": _cost(mode["cost"], where)} if "cost" in mode else {}
        sent = _table(mode.get("provider", {}), where)
        found[name] = facts | {key: _table(sent[key], where) for key in _SENT if key in sent}
    return found


_SENT = ("body", "headers")


def _wire(provider: Mapping[str, Any], where: str) -> dict[str, Any]:
    wire = {key: provider[key] for key in ("npm", "api", "shape") if key in provider}
    for key, value in wire.items():
        _is(value, str, f"{where}: `provider.{key}`")
    return wire | {key: _table(provider[key], where) for key in _SENT if key in provider}


def _table(value: Any, where: str) -> dict[str, Any]:
    table: dict[str, Any] = _is(value, dict, where)
    return table


def _count(value: Any, where: str) -> int:
    number: int = _is(value, int, where)
    if number < 0:
        raise ProfileError(f"{where} is not below 0, but {number}")
    return number


_WORDS = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
}


def _is(value: Any, kind: type, where: str) -> Any:
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    shown = repr(value)
    raise ProfileError(f"{where} is {_WORDS[kind]}, not {shown[:60]}")
