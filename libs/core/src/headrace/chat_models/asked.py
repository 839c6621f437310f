"""What a function that answers as a model asks for of each request, by its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError, suggestion

if TYPE_CHECKING:
    from headrace.chat_models.settings import Settings
    from headrace.messages import BaseMessage

# What a request has beside its parameters.
REQUEST = ("tools", "tool_choice", "response_format", "stop", "settings")
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a function: messages first, settings second, others by name.

    `names`: each with whether the function has a value of its own for it. `rest`: it takes
    whatever is set (`**others`).
    """

    second: bool = False
    names: Mapping[str, bool] = field(default_factory=dict)
    rest: bool = False

    @classmethod
    def by(cls, function: Callable[..., Any], known: Collection[str]) -> Asked:
        """What the signature says; InputError for a name that no request has."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return cls()  # a builtin without a signature
        if not parameters or parameters[0].kind is Parameter.KEYWORD_ONLY:
            raise InputError(f"{function!r} takes no messages; they are its first argument")
        names: dict[str, bool] = {}
        second = rest = False
        for at, found in enumerate(parameters):
            own = found.default is not Parameter.empty
            if found.kind is Parameter.VAR_KEYWORD:
                rest = True
            elif at == 0 or found.kind is Parameter.VAR_POSITIONAL:
                continue
            elif found.name in known and found.kind is not Parameter.POSITIONAL_ONLY:
                names[found.name] = own
            elif own:
                continue
            elif at == 1 and found.kind in _POSITIONAL and not _misspelt(found.name, known):
                second = True
            else:
                raise InputError(
                    f"{function!r} asks for `{found.name}`, which no request has"
                    f"{suggestion(found.name, known)}; give it a default, or a value by "
                    f"`model_kwargs={{{found.name!r}: …}}`"
                )
        return cls(second, names, rest)

    def sees(self, name: str) -> bool:
        """Whether this part of a request reaches the function at all."""
        return self.second or self.rest or name in self.names or "settings" in self.names

    def arguments(
        self, messages: list[BaseMessage], settings: Settings
    ) -> tuple[list[Any], dict[str, Any]]:
        """What to call the function with; what is not set is its own default, or None."""
        found = {name: value for name, value in _parts(settings).items() if value}
        found |= {name: value for name, value in settings.sent.items() if value is not None}
        found.pop("model_kwargs", None)
        found.pop("extra_body", None)
        named = {
            name: found.get(name) for name, own in self.names.items() if name in found or not own
        }
        if self.rest:
            named = {**found, **named}
        if "settings" in self.names:
            named["settings"] = settings
        elif self.rest:
            named.pop("settings", None)
        return [messages, settings] if self.second else [messages], named


def _misspelt(name: str, known: Collection[str]) -> bool:
    return bool(suggestion(name, [other for other in known if other != "settings"]))


def _parts(settings: Settings) -> dict[str, Any]:
    """Copies of what stands beside the parameters; the function may keep and change them."""
    return {
        "tools": [deepcopy(tool) for tool in settings.tools],
        "tool_choice": settings.tool_choice,
        "response_format": settings.response_format,
        "stop": list(settings.stop),
    }
