"""load_prompt: a prompt template from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.errors import InputError, suggestion
from headrace.prompts.chat import ChatPromptTemplate
from headrace.prompts.message import MessagesPlaceholder
from headrace.prompts.reading import read_data
from headrace.prompts.text import PromptTemplate

_KEYS = ("template", "messages", "template_format", "partial_variables")


def load_prompt(path: str | Path) -> PromptTemplate | ChatPromptTemplate:
    """The prompt in a .toml or .json file, or .yaml by the extra `yaml`.

    It holds `template`, a text, or `messages`, a list of {role, content} and {placeholder,
    optional?, n_messages?}; also `template_format` and `partial_variables`. Nothing in it is
    run. Raises InputError that names the file.
    """
    data = read_data(path)
    try:
        return _made(data)
    except InputError as error:
        raise InputError(f"the prompt file {path}: {error}") from error


def _made(data: dict[str, Any]) -> PromptTemplate | ChatPromptTemplate:
    for key in data:
        if key not in _KEYS:
            raise InputError(f"there is no key `{key}`{suggestion(key, _KEYS)}")
    if ("template" in data) == ("messages" in data):
        raise InputError("it holds either `template` or `messages`")
    form = data.get("template_format", "f-string")
    partial = data.get("partial_variables")
    if not isinstance(partial, Mapping | None):
        raise InputError(f"`partial_variables` is a table, not {partial!r}")
    if "template" in data:
        return PromptTemplate(data["template"], partial, template_format=form)
    if not isinstance(data["messages"], list):
        raise InputError(f"`messages` is a list, not {data['messages']!r}")
    parts = [_part(item) for item in data["messages"]]
    return ChatPromptTemplate(parts, partial, template_format=form)


def _part(item: Any) -> Any:
    if not isinstance(item, Mapping) or "placeholder" not in item:
        return item
    options = {key: value for key, value in item.items() if key != "placeholder"}
    unknown = options.keys() - {"optional", "n_messages"}
    if unknown:
        raise InputError(f"a placeholder takes no {', '.join(map(repr, sorted(unknown)))}")
    return MessagesPlaceholder(str(item["placeholder"]), **options)
