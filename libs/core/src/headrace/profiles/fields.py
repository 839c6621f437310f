"""The facts a profile may hold: their names, kinds and units, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from headrace.errors import suggestion
from headrace.profiles.errors import ProfileError

Kind = Literal[
    "bool", "count", "text", "date", "texts", "budget", "cost", "ranges", "wire", "modes"
]


@dataclass(frozen=True, slots=True)
class Field:
    """One fact: its name, the kind of its value, and what it says, with the unit."""

    name: str
    kind: Kind
    meaning: str


_TABLE = (
    Field("name", "text", "the name that people read"),
    Field("family", "text", "the family of models it belongs to"),
    Field("status", "text", "alpha, beta or deprecated; absent for a current model"),
    Field("release_date", "date", "when it came out"),
    Field("last_updated", "date", "when its provider last changed it"),
    Field("knowledge", "date", "where its training data ends"),
    Field("deprecation_date", "date", "the day from which it is no longer served"),
    Field("successor", "text", "the model that its provider names as replacement"),
    Field("open_weights", "bool", "its weights can be downloaded"),
    Field("context_size", "count", "tokens of input and output together"),
    Field("max_input_tokens", "count", "tokens of input; the whole context where nothing is said"),
    Field("max_output_tokens", "count", "tokens of output, reasoning included"),
    Field("embedding_dimensions", "count", "numbers in a vector, unless fewer are asked for"),
    Field("max_batch_size", "count", "texts in one request for embeddings"),
    Field("max_batch_tokens", "count", "tokens of all texts in one request for embeddings"),
    Field("text_inputs", "bool", "takes text"),
    Field("image_inputs", "bool", "takes images"),
    Field("image_url_inputs", "bool", "takes images by URL and fetches them itself"),
    Field("pdf_inputs", "bool", "takes PDF files"),
    Field("audio_inputs", "bool", "takes sound"),
    Field("video_inputs", "bool", "takes video"),
    Field("image_tool_message", "bool", "takes images in the result of a tool"),
    Field("pdf_tool_message", "bool", "takes PDF files in the result of a tool"),
    Field("attachment", "bool", "user interfaces may offer to attach files; no modality"),
    Field("text_outputs", "bool", "answers with text"),
    Field("image_outputs", "bool", "answers with images"),
    Field("pdf_outputs", "bool", "answers with PDF files"),
    Field("audio_outputs", "bool", "answers with sound"),
    Field("video_outputs", "bool", "answers with video"),
    Field("tool_calling", "bool", "calls tools"),
    Field("tool_choice", "bool", "can be made to call a tool, or a certain one"),
    Field("forced_tool_while_reasoning", "bool", "can be made to call a tool while it reasons"),
    Field("tool_call_streaming", "bool", "streams the arguments of a call in pieces"),
    Field("parallel_tool_calls", "bool", "calls several tools in one answer"),
    Field("structured_output", "bool", "keeps to a JSON Schema that its provider enforces"),
    Field("prefill", "bool", "goes on from a last message of the assistant"),
    Field("mid_conversation_system_messages", "bool", "takes system messages after the first turn"),
    Field("mid_conversation_tools", "bool", "takes a changed list of tools in a conversation"),
    Field("temperature", "bool", "takes `temperature`"),
    Field("parameters", "ranges", "per parameter its `minimum`, `maximum`, `values`, or false"),
    Field("reasoning_output", "bool", "reasons before it answers"),
    Field("reasoning_effort_levels", "texts", "levels it takes; `none` is off; []: send none"),
    Field("reasoning_effort_default", "text", "the level where none is asked for"),
    Field("reasoning_toggle", "bool", "reasoning can be switched on and off"),
    Field("reasoning_adaptive", "bool", "decides itself when and how much to reason"),
    Field("reasoning_budget", "budget", "[least, most] tokens of reasoning, or false: takes none"),
    Field("reasoning_interleaved", "bool", "reasons between the calls of tools too"),
    Field("thinking_tags", "texts", "names of the tags in which reasoning comes as text"),
    Field("reasoning_field", "text", "where reasoning comes, and must be sent back"),
    Field("cost", "cost", "USD per million tokens; a tier prices the whole request"),
    Field("cost_tier_inclusive", "bool", "a tier holds from its size on, not only above it"),
    Field("modes", "modes", "named ways to run it: their prices, and what a request must carry"),
    Field("wire", "wire", "protocol: AI SDK package (`npm`), base URL (`api`), `shape`"),
)  # fmt: skip

FIELDS: Mapping[str, Field] = {field.name: field for field in _TABLE}

_PRICES = frozenset(
    {"input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio"}
)
_WIRE = {"npm": str, "api": str, "shape": str, "body": dict, "headers": dict}
_MODE = {"cost": dict, "body": dict, "headers": dict}
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def checked(name: str, value: Any, where: str) -> Any:
    """The value in JSON's types; raises ProfileError, led by `where`, if it is not of its kind."""
    field = FIELDS.get(name)
    if field is None:
        raise ProfileError(f"{where}: no field `{name}`{suggestion(name, FIELDS)}")
    if isinstance(value, date):  # as TOML writes them
        value = value.isoformat()
    if wrong := _CHECKS[field.kind](value):
        raise ProfileError(f"{where}: `{name}` {wrong}, not {value!r}")
    return value


def is_number(value: Any) -> bool:
    """Whether it is a figure: an int or a finite float, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _bool(value: Any) -> str:
    return "" if isinstance(value, bool) else "is true or false"


def _count(value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return "" if good else "is a whole number above 0"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value else "is a text"


def _date(value: Any) -> str:
    good = isinstance(value, str) and _DATE.fullmatch(value)
    return "" if good else "is a date like 2026-07-02, 2026-07 or 2026"


def _texts(value: Any) -> str:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "" if good else "is a list of texts"


def _budget(value: Any) -> str:
    bounds = (
        isinstance(value, list)
        and len(value) == 2
        and all(bound is None or (is_number(bound) and bound >= -1) for bound in value)
    )
    return "" if value is False or bounds else "is [least, most], each a number or null, or false"


def _cost(value: Any) -> str:
    wrong = "holds prices: " + ", ".join(sorted(_PRICES)) + ", and tiers with `above`"
    if not isinstance(value, dict):
        return wrong
    tiers = value.get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        return wrong
    for prices, also in ((value, "tiers"), *((tier, "above") for tier in tiers)):
        if prices.keys() - _PRICES - {also}:
            return wrong
        if any(not is_number(prices[key]) or prices[key] < 0 for key in prices.keys() - {"tiers"}):
            return wrong
    return "" if all("above" in tier for tier in tiers) else wrong


def _ranges(value: Any) -> str:
    wrong = "is, per parameter, {minimum, maximum, values, when} or false"
    if not isinstance(value, dict):
        return wrong
    for limits in value.values():
        if limits is False:
            continue
        if not isinstance(limits, dict) or limits.keys() - {"minimum", "maximum", "values", "when"}:
            return wrong
        if any(not is_number(limits[key]) for key in limits.keys() & {"minimum", "maximum"}):
            return wrong
        if not isinstance(limits.get("values", []), list):
            return wrong
        when = limits.get("when", {})
        if not isinstance(when, dict) or any(_texts(values) for values in when.values()):
            return wrong
    return ""


def _keyed(value: Any, kinds: Mapping[str, type], wrong: str) -> str:
    good = isinstance(value, dict) and all(
        key in kinds and isinstance(value[key], kinds[key]) for key in value
    )
    return "" if good else wrong


def _wire(value: Any) -> str:
    return _keyed(value, _WIRE, "holds " + ", ".join(_WIRE))


def _modes(value: Any) -> str:
    wrong = "holds modes, each with " + ", ".join(_MODE)
    if not isinstance(value, dict):
        return wrong
    return next((fault for mode in value.values() if (fault := _keyed(mode, _MODE, wrong))), "")


_CHECKS: Mapping[Kind, Callable[[Any], str]] = {
    "bool": _bool,
    "count": _count,
    "text": _text,
    "date": _date,
    "texts": _texts,
    "budget": _budget,
    "cost": _cost,
    "ranges": _ranges,
    "wire": _wire,
    "modes": _modes,
}
