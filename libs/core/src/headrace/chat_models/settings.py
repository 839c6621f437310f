"""What one request asks for: a provider-neutral Call, and the Settings a partner encodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from headrace.chat_models.notes import Notes
from headrace.errors import InputError, suggestion
from headrace.tools.convert import convert_to_tool

if TYPE_CHECKING:
    from headrace.chat_models.caching import CacheUse
    from headrace.chat_models.room import Misfit
    from headrace.chat_models.schema import OutputSchema
    from headrace.chat_models.shaping import Shape
    from headrace.chat_models.timeouts import Watch
    from headrace.rate_limiters import Gate

ToolChoice = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form an answer must have: a JSON schema, or any JSON object (`json_mode`)."""

    name: str
    schema: dict[str, Any] | None
    method: Literal["json_schema", "json_mode"] = "json_schema"
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a request is made of beside its messages.

    `params`: what is set, by neutral name, options of the call over fields of the model; what
    is not set is absent. `tools`: {"name", "description", "parameters", "strict"?}, or raw
    dicts of server-side tools. `tool_choice`: None, "auto", "none", "any", a name, or a tuple
    of allowed names. `watch.timeout` bounds the answer: call `watch.saw(False)` at each read.
    `notes` takes a record of all that the encoder does not write as asked. `shape`: how an
    object is asked for; nothing of it is left to encode. `preflight`: see `with_preflight`.
    """

    params: Mapping[str, Any]
    watch: Watch = field(compare=False)
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: ToolChoice | None = None
    response_format: ResponseFormat | None = None
    stop: tuple[str, ...] = ()
    notes: Notes = field(default_factory=Notes, compare=False)
    shape: Shape | None = None
    preflight: Misfit | None = None

    @property
    def sent(self) -> Mapping[str, Any]:
        """The parameters by name, with those that are passed on as they are."""
        params = self.params
        raw = (params.get("model_kwargs"), params.get("extra_body"))
        return {**params, **(raw[0] or {}), **(raw[1] or {})} if any(raw) else params


@dataclass(frozen=True, slots=True)
class Call:
    """What was bound around a model or said at the call; every provider understands it.

    `options` are constructor fields by name.
    `timeouts`: fields of the Timeout, over those of the model or of its `timeout` option.
    `rung`: how an object is asked for, after 0 has failed; see `shaping`.
    `passes_calls`: somebody runs the calls, so an answer that makes any passes unparsed.
    `gates`: what lets each attempt in, beside the model's own limiter.
    `frees`: a choice that forces a call has had it; what it leaves out stays out.
    `cache`: what it is looked up in, in place of the model's own.
    """

    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: ToolChoice | None = None
    schema: OutputSchema | None = None
    stop: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)
    passes_calls: bool = False
    rung: int = 0
    preflight: Misfit | None = None
    gates: tuple[Gate, ...] = ()
    frees: bool = False
    cache: CacheUse | None = None

    def over(self, inner: Call) -> Call:
        """Both, this one outside: tools add up, by name the outer stands; else the outer wins."""
        names = {tool_name(tool) for tool in self.tools}
        kept = (tool for tool in inner.tools if tool_name(tool) not in names)
        return Call(
            (*kept, *self.tools),
            self.tool_choice or inner.tool_choice,
            self.schema or inner.schema,
            inner.stop if self.stop is None else self.stop,
            {**inner.options, **self.options},
            {**inner.timeouts, **self.timeouts},
            self.passes_calls or inner.passes_calls,
            self.rung or inner.rung,
            self.preflight or inner.preflight,
            (*inner.gates, *self.gates),
            self.frees or inner.frees,
            self.cache or inner.cache,
        )

    def choice(self) -> tuple[ToolChoice | None, tuple[str, ...] | None]:
        """(what is chosen, the only tools that are shown if not all are)."""
        choice = self.tool_choice
        if isinstance(choice, tuple) and choice[0] == "auto":
            return "auto", choice[1:]
        if not self.frees or choice in ("auto", "none"):
            return choice, None
        return None, choice if isinstance(choice, tuple) else None


NO_CALL = Call()


def call_of(options: Mapping[str, Any]) -> Call:
    """A Call from the keyword arguments of `bind` or of a door."""
    rest = dict(options)
    tools, choice = rest.pop("tools", None), rest.pop("tool_choice", None)
    stop, strict = rest.pop("stop", None), rest.pop("strict", None)
    return Call(
        neutral_tools(tools or (), strict),
        neutral_choice(choice),
        None,
        None if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
        rest,
    )


def neutral_tools(tools: Iterable[Any], strict: bool | None = None) -> tuple[dict[str, Any], ...]:
    """Tools in the neutral form; of two with one name the later stands."""
    found: dict[str, dict[str, Any]] = {}
    if isinstance(tools, str | Mapping) or not isinstance(tools, Iterable):
        raise InputError(f"`tools` is a list of tools, not {tools!r}")
    for tool in tools:
        neutral = convert_to_tool(tool, strict=strict)
        found[tool_name(neutral)] = neutral
    return tuple(found.values())


def neutral_choice(choice: Any) -> ToolChoice | None:
    """A tool choice from any spelling of the field."""
    match choice:
        case None | False:
            return None
        case True | "any" | "required":
            return "any"
        case str():
            return choice
        case {"type": "function", "function": {"name": str(name)}}:
            return name
        case {"name": str(name)} | {"type": "tool", "name": str(name)}:
            return name
        case {"type": str(kind)} if kind in ("auto", "any", "none"):
            return kind
        case ["auto"] | []:
            pass
        case list() | tuple() if all(isinstance(name, str) for name in choice):
            return tuple(choice)
    raise InputError(
        '`tool_choice` is "auto", "none", "any", the name of a bound tool, a list of names to call '
        f'one of, or ["auto", *names] to call only these; not {choice!r}'
    )


def shown(
    tools: tuple[dict[str, Any], ...], only: tuple[str, ...], schema: OutputSchema | None
) -> tuple[dict[str, Any], ...]:
    """The tools of these names, and that of a schema; InputError for a name that is not bound."""
    check_choice(only, tools)
    kept = {*only, *([] if schema is None else [schema.name])}
    return tuple(tool for tool in tools if tool_name(tool) in kept)


def check_choice(choice: ToolChoice | None, tools: tuple[dict[str, Any], ...]) -> None:
    """Raises InputError for a choice that names no bound tool."""
    if choice is None or choice in ("auto", "none"):
        return
    known = [tool_name(tool) for tool in tools]
    if choice == "any":
        if not known:
            raise InputError('`tool_choice="any"` was asked for and no tools are bound')
        return
    for name in (choice,) if isinstance(choice, str) else choice:
        if name not in known:
            raise InputError(
                f"`tool_choice` names `{name}`, which is not bound{suggestion(name, known)}; "
                "bound: " + (", ".join(f"`{tool}`" for tool in known) or "none")
            )


def tool_name(tool: Mapping[str, Any]) -> str:
    """A tool's name; for a server-side tool without one, its type or its only key."""
    return str(tool.get("name") or tool.get("type") or next(iter(tool), ""))
