"""How many tokens a request has, counted as OpenAI's models do.

What a message, a name, an answer and a tool cost beside their texts: OpenAI's cookbook, "How to
count tokens with tiktoken", the figures for GPT-4o (read 2026-11). Later models are not documented;
they count nearly so.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from typing import Any, Final

from pydantic_core import to_json

from headrace.deferred import tempfile
from headrace_openai.vision import image_tokens

Encode = Callable[[str], int]

# The services whose models count so; others have tokenizers of their own.
COUNTED: Final = frozenset({"openai", "azure_openai"})

_MESSAGE, _NAME, _ANSWER = 3, 1, 3
_TOOL, _TOOLS, _ARGUMENTS, _ARGUMENT, _ENUM, _CHOICE = 7, 12, 3, 3, -3, 3
_MEDIUM = 85  # audio and files: nobody says

_HOME = "https://openaipublic.blob.core.windows.net/encodings"
# Where tiktoken gets an encoding from; its cache knows it by the hash of this address.
_SOURCES: Final = {
    "cl100k_base": f"{_HOME}/cl100k_base.tiktoken",
    "o200k_base": f"{_HOME}/o200k_base.tiktoken",
    "o200k_harmony": f"{_HOME}/o200k_base.tiktoken",
}
_NEWEST = "o200k_base"


def approximately(text: str) -> int:
    """Tokens of a text where no tokenizer is at hand: four characters each."""
    return ceil(len(text) / 4)


def encoder_for(model: str) -> Encode:
    """What counts the tokens of a text; tells once if it is no tokenizer.

    Never uses the network.
    """
    if find_spec("tiktoken") is None:
        return _guessing(
            "tokens are counted approximately: `tiktoken` is not installed; "
            "run `pip install 'headrace-openai[tiktoken]'`"
        )
    name = _encoding_name(model)
    registry: Any = import_module("tiktoken.registry")
    if name not in registry.ENCODINGS and not _is_cached(name):
        return _guessing(
            f"tokens are counted approximately: the encoding `{name}` of tiktoken is not on this "
            "machine, and counting does not use the network; fetch it once with "
            f"`python -c \"import tiktoken; tiktoken.get_encoding('{name}')\"`, or copy it and set "
            "TIKTOKEN_CACHE_DIR"
        )
    encoding: Any = registry.get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


_told: set[str] = set()


def _guessing(why: str) -> Encode:
    if why not in _told:
        _told.add(why)
        warnings.warn(why, UserWarning, stacklevel=6)
    return approximately


def count_body(body: Mapping[str, Any], encode: Encode, model: str) -> int:
    """Tokens of the input of a request to Chat Completions or to the Responses API."""
    items = body.get("messages", body.get("input") or ())
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    total = _ANSWER + sum(_item(item, encode, model) for item in items)
    if told := body.get("instructions"):
        total += _item({"role": "developer", "content": told}, encode, model)
    functions = [tool.get("function", tool) for tool in body.get("tools") or ()]
    if functions := [function for function in functions if "parameters" in function]:
        total += _TOOLS + sum(_function(function, encode) for function in functions)
    form = (body.get("text") or {}).get("format") or {}
    form = (body.get("response_format") or {}).get("json_schema") or form
    return total + (encode(to_json(form["schema"]).decode()) if form.get("schema") else 0)


def _item(item: Mapping[str, Any], encode: Encode, model: str) -> int:
    """Tokens of a message, or of a call or its result where they stand by themselves."""
    total = _MESSAGE
    for key in ("role", "name", "tool_call_id", "call_id", "arguments"):
        total += encode(str(item.get(key) or ""))
    if item.get("name") and item.get("role"):
        total += _NAME
    for call in item.get("tool_calls") or ():
        function = call.get("function") or {}
        total += _MESSAGE + encode(str(function.get("name") or ""))
        total += encode(str(function.get("arguments") or ""))
    content = item.get("content") or item.get("output") or item.get("summary") or ()
    if isinstance(content, str):
        return total + encode(content)
    return total + sum(_part(part, encode, model) for part in content)


def _part(part: Mapping[str, Any], encode: Encode, model: str) -> int:
    if "image_url" in part:
        return image_tokens(part, model)
    text = part.get("text", part.get("refusal"))
    return _MEDIUM if text is None else encode(str(text))


def _function(function: Mapping[str, Any], encode: Encode) -> int:
    told = f"{function.get('name')}:{(function.get('description') or '').rstrip('.')}"
    total = _TOOL + encode(told)
    arguments = (function.get("parameters") or {}).get("properties") or {}
    if not arguments:
        return total
    return (
        total
        + _ARGUMENTS
        + sum(_argument(name, schema, encode) for name, schema in arguments.items())
    )


def _argument(name: str, schema: Mapping[str, Any], encode: Encode) -> int:
    total = _ARGUMENT
    choices: Iterable[Any] = schema.get("enum") or ()
    if choices:
        total += _ENUM + sum(_CHOICE + encode(str(choice)) for choice in choices)
    told = (schema.get("description") or "").rstrip(".")
    nested = {key: schema[key] for key in ("properties", "items", "anyOf") if key in schema}
    if nested:
        total += encode(to_json(nested).decode())
    return total + encode(f"{name}:{schema.get('type')}:{told}")


def _encoding_name(model: str) -> str:
    names: Any = import_module("tiktoken.model")
    try:
        name = str(names.encoding_name_for_model(model))
    except KeyError:
        return _NEWEST
    return name if name in _SOURCES else _NEWEST


def _is_cached(name: str) -> bool:
    """Whether tiktoken would find the encoding in its cache."""
    places = (os.environ.get(key) for key in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"))
    default = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    place = next((place for place in places if place is not None), default)
    key = hashlib.sha1(_SOURCES[name].encode(), usedforsecurity=False).hexdigest()
    return bool(place) and os.path.exists(os.path.join(place, key))
