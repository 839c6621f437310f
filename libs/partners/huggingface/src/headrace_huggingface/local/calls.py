"""Tool calls in the text of a model, in the forms that chat templates teach. Pure.

`<tool_call>{json}</tool_call>` (Hermes, Qwen), the same around `<function=…><parameter=…>`
(Qwen3-Coder), `[TOOL_CALLS]` before a list or before `name[ARGS]{json}` (Mistral), and of Llama 3
`<function=name>{json}</function>`, `<|python_tag|>` before JSON, and an answer that is JSON.
Source: https://docs.vllm.ai/en/v0.8.4/features/tool_calling.html and the parsers it names, and
https://skainet-developers.github.io/SKaiNET-transformers (Llama 3) (read 2026-11)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from headrace_huggingface.local.words import beginning


@dataclass(frozen=True, slots=True)
class Called:
    """A tool that the text calls; `args` is JSON as far as the model wrote it."""

    name: str
    args: str


# What opens a call, and what closes it; None: the end of the answer.
_FORMS: Mapping[str, str | None] = {
    "<tool_call>": "</tool_call>",
    "<function=": "</function>",
    "[TOOL_CALLS]": None,
    "<|python_tag|>": None,
}
_BARE = ""  # the whole answer
_BARE_BEGINS = re.compile(r"\{|\[\s*\{")
# Special tokens that the text must keep, for they are part of a call or of reasoning.
MARKS = frozenset(
    {"<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<|python_tag|>",
     "<think>", "</think>"}
)  # fmt: skip
_NAMED = re.compile(
    r"\s*([\w.\-/ ]+?)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\])?\s*(\{.*)", re.DOTALL
)
_TAGGED = re.compile(r"\s*<function=([^>\n]+)>(.*)", re.DOTALL)
_PARAMETER = re.compile(
    r"<parameter=([^>\n]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|(?=</function>))", re.DOTALL
)
_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\]|\\.)+)"')
_ARGS = re.compile(r'"(?:arguments|parameters)"\s*:\s*(.*)', re.DOTALL)
_KEYS = ("arguments", "parameters", "args")


class CallReader:
    """Text in pieces of any size to texts and calls; what may begin a call is held back.

    `tools`: name -> JSON Schema of its arguments. White space around calls is the form's.
    """

    __slots__ = ("_begun", "_called", "_form", "_held", "_tools")

    def __init__(self, tools: Mapping[str, Mapping[str, Any]]) -> None:
        self._tools = tools
        self._held = ""
        self._form: str | None = None
        self._begun = self._called = False

    def feed(self, text: str) -> list[str | Called]:
        """What is certain now."""
        self._held += text
        found: list[str | Called] = []
        while self._step(found):
            pass
        return found

    def flush(self) -> list[str | Called]:
        """The rest: a call that the answer's end cuts off or closes, else text."""
        held, self._held = self._held, ""
        if self._form is None:
            return self._said(held)
        found = list(self._read(self._form, held))
        self._form = None
        return found

    def _step(self, found: list[str | Called]) -> bool:
        if self._form is not None:
            return self._close(self._form, found)
        held = self._held
        at, opener = _earliest(held)
        if not (self._begun or self._called):
            lead = held.lstrip()
            if _BARE_BEGINS.match(lead):
                self._form = _BARE
            if self._form is not None or lead.rstrip() == "[":
                return False
        if opener is None:
            kept = len(held) - len(held[: len(held) - beginning(held, _FORMS)].rstrip())
            found += self._said(held[: len(held) - kept])
            self._held = held[len(held) - kept :]
            return False
        found += self._said(held[:at].rstrip())
        self._held, self._form = held[at + len(opener) :], opener
        return True

    def _close(self, form: str, found: list[str | Called]) -> bool:
        closer = _FORMS.get(form)
        end = -1 if closer is None else self._held.find(closer)
        if closer is None or end < 0:
            return False
        found += self._read(form, self._held[:end], closer)
        self._held, self._form = self._held[end + len(closer) :], None
        return True

    def _said(self, text: str) -> list[str | Called]:
        if self._called:
            text = text.lstrip()
        if not text:
            return []
        self._begun = self._begun or bool(text.strip())
        self._called = False
        return [text]

    def _read(self, form: str, body: str, closer: str = "") -> Iterator[str | Called]:
        calls = self._calls(form, body)
        if calls:
            self._called = True
            yield from calls
        else:
            yield from self._said(form + body + closer)

    def _calls(self, form: str, body: str) -> list[Called]:
        if form == "<function=":
            return self._tagged(f"{form}{body}")
        if form == "<tool_call>" and _TAGGED.match(body):
            return self._tagged(body)
        if form == "[TOOL_CALLS]":
            parts = body.split(form)
            return [call for part in parts for call in _named(part) or _of_json(part)]
        if form != _BARE:
            return _of_json(body)
        return [call for call in _of_json(body, whole=True) if call.name in self._tools]

    def _tagged(self, body: str) -> list[Called]:
        found = _TAGGED.match(body)
        if found is None:
            return []
        name, inside = found[1].strip(), found[2]
        if "<parameter=" not in inside:
            return [Called(name, inside.removesuffix("</function>").strip() or "{}")]
        known = self._tools.get(name, {}).get("properties") or {}
        args = {key: _value(text, known.get(key)) for key, text in _PARAMETER.findall(inside)}
        return [Called(name, to_json(args).decode())]


def _earliest(text: str) -> tuple[int, str | None]:
    found = [(at, opener) for opener in _FORMS if (at := text.find(opener)) >= 0]
    return min(found) if found else (-1, None)


def _named(part: str) -> list[Called]:
    found = _NAMED.fullmatch(part)
    return [Called(found[1], found[2].strip())] if found else []


def _of_json(body: str, whole: bool = False) -> list[Called]:
    """The calls in one JSON value after another; `whole`: nothing else may be there."""
    values, rest = _values(body)
    calls = [call for value in values for call in _each(value)]
    if not rest.strip():
        return calls
    if whole:
        return []
    name = _NAME.search(rest)
    if name is None:
        return calls
    args = _ARGS.search(rest)
    return [*calls, Called(json.loads(f'"{name[1]}"'), args[1].rstrip() if args else "")]


def _values(body: str) -> tuple[list[Any], str]:
    decoder, at = json.JSONDecoder(), 0
    found: list[Any] = []
    while True:
        rest = body[at:].lstrip(" \t\r\n,;")
        if not rest:
            return found, ""
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return found, rest
        found.append(value)
        at = len(body) - len(rest) + end


def _each(value: Any) -> Iterator[Called]:
    if isinstance(value, list):
        for item in value:
            yield from _each(item)
        return
    if not isinstance(value, dict):
        return
    inner = value.get("function")
    call = inner if isinstance(inner, dict) else value
    name = call.get("name")
    if isinstance(name, str) and name:
        args: Any = next((call[key] for key in _KEYS if call.get(key) is not None), {})
        yield Called(name, args if isinstance(args, str) else to_json(args).decode())


def _value(text: str, schema: Any) -> Any:
    """A parameter written as bare text: JSON unless its schema says that it is a text."""
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
