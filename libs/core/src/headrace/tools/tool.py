"""Tool: a function that a model may call, as a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack, overload

from headrace.engine.run import config_of
from headrace.engine.user import (
    Seam,
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
)
from headrace.errors import InputError, ToolError, suggestion
from headrace.messages import ToolMessage
from headrace.runnables.base import Runnable
from headrace.tools.arguments import ToolArgumentError
from headrace.tools.docstring import read_docstring
from headrace.tools.inference import arguments_of, documents
from headrace.tools.injection import InjectedToolCallId
from headrace.tools.result import content_of
from headrace.tools.signature import REQUIRED, Signature, doc_of, name_of, read_function

if TYPE_CHECKING:
    from headrace.engine.run import Run

ToolInput: TypeAlias = str | Mapping[str, Any]
ErrorPolicy: TypeAlias = bool | str | Callable[[Any], Any]
ResponseFormat: TypeAlias = Literal["content", "content_and_artifact"]


class ToolOptions(TypedDict, total=False):
    """What may be said of a tool; see `Tool`."""

    name: str | None
    description: str | None
    args_schema: Any
    return_direct: bool
    response_format: ResponseFormat
    parse_docstring: bool | None
    handle_tool_error: ErrorPolicy
    handle_validation_error: ErrorPolicy
    inline: bool
    extras: Mapping[str, Any] | None


class Tool(Runnable[ToolInput, Any]):
    """A function with a name, a description and arguments that a model can fill in.

    `invoke` takes arguments and gives the function's value, or takes a ToolCall and gives a
    ToolMessage. Parameters named `config` and `run`, and those marked InjectedToolArg, are
    hidden from the model. A ToolError, or arguments that do not fit, are raised; a policy
    turns them into the answer instead: True, a text, or a function of the error.
    """

    run_type = "tool"

    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        coroutine: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        args_schema: Any = None,
        return_direct: bool = False,
        response_format: ResponseFormat = "content",
        parse_docstring: bool | None = None,
        handle_tool_error: ErrorPolicy = False,
        handle_validation_error: ErrorPolicy = False,
        inline: bool = False,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        self.func, self.coroutine = _sorted(func, coroutine)
        function = self.func or self.coroutine
        if response_format not in ("content", "content_and_artifact"):
            raise InputError(
                f"`response_format` is 'content' or 'content_and_artifact', not {response_format!r}"
            )
        self.name = _name(name, function)
        doc = read_docstring(doc_of(function))
        self._signature = _signature(function, args_schema)
        self.arguments = arguments_of(self.name, self._signature, args_schema, doc, parse_docstring)
        self._check_fit()
        # What the docstring says of the arguments leaves the text only for their schema.
        taken = args_schema is None and parse_docstring is not False
        written = doc.text if taken and documents(doc, self._signature) else doc.whole
        schema_says = self.arguments.parameters.pop("description", None)
        self.description = _checked(self.name, description or written or schema_says)
        self.args_schema, self.return_direct = args_schema, return_direct
        self.response_format, self.inline = response_format, inline
        self.handle_tool_error = handle_tool_error
        self.handle_validation_error = handle_validation_error
        self.extras = dict(extras or {})
        self.__doc__ = doc.whole or self.description
        self._given: dict[str, Any] = {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, as the model sees it."""
        return self.arguments.parameters

    @property
    def args(self) -> dict[str, Any]:
        """The JSON Schema of each argument by its name."""
        properties: dict[str, Any] = self.parameters["properties"]
        return properties

    def definition(self) -> dict[str, Any]:
        """The tool as a provider-neutral dict: name, description, parameters; a copy."""
        found = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return deepcopy({**found, "extras": self.extras} if self.extras else found)

    async def _invoke(self, input: Any, run: Run) -> Any:
        seam = Seam(run, self.name)
        args, call_id = self._read(input)
        try:
            if isinstance(args, ToolArgumentError):
                raise args
            values = self._values(args, call_id, run)
        except ToolArgumentError as error:
            return self._failed(error, self.handle_validation_error, call_id, seam)
        try:
            output = await self._call(values, seam)
        except ToolError as error:
            return self._failed(error, self.handle_tool_error, call_id, seam)
        return self._answer(output, call_id)

    def _read(self, input: Any) -> tuple[Any, str | None]:
        """The arguments in an input, and the id of the call if it is one."""
        if isinstance(input, str):
            return {self._only_argument(): input}, None
        if not isinstance(input, Mapping):
            raise InputError(
                f"tool `{self.name}` takes a dict of arguments or a tool call, not {input!r}"
            )
        if input.get("type") == "invalid_tool_call":
            why = input.get("error") or "the arguments could not be read"
            return ToolArgumentError(f"tool `{self.name}` is not run: {why}"), input.get("id")
        if input.get("type") != "tool_call" or not {"name", "args"} <= input.keys():
            return input, None
        if not input.get("id"):
            raise InputError(
                f"a call of tool `{self.name}` has no `id`, so nothing can answer it; give it "
                "one, or invoke the tool with `call['args']`"
            )
        return input["args"], str(input["id"])

    def _only_argument(self) -> str:
        names = list(self.args)
        needed = self.parameters.get("required", names)
        found = names if len(names) == 1 else needed
        if len(found) != 1:
            raise InputError(
                f"tool `{self.name}` takes a dict of " + ", ".join(f"`{n}`" for n in names)
            )
        return str(found[0])

    def _values(self, args: Any, call_id: str | None, run: Run) -> dict[str, Any]:
        """The values for the parameters: the model's, checked, and those it cannot set."""
        if not isinstance(args, Mapping):
            raise ToolArgumentError(f"the arguments must be an object, not {args!r}")
        given = dict(self._given)
        for name, mark in self.arguments.hidden.items():
            if mark is None:
                given[name] = config_of(run) if name == "config" else run
            elif issubclass(mark, InjectedToolCallId) and call_id is not None:
                given[name] = call_id
            elif name not in given and self._needs(name):
                raise InputError(_not_given(self.name, name, mark))
        try:
            values = self.arguments.check(args, given)
        except ToolArgumentError as error:
            raise ToolArgumentError(f"bad arguments for tool `{self.name}`: {error}") from error
        return {**given, **values}

    def _needs(self, name: str) -> bool:
        """Whether a hidden parameter has no default."""
        if name in self.arguments.fields:
            return name not in self.arguments.defaulted
        return self._signature.parameters[name].default is REQUIRED

    async def _call(self, values: dict[str, Any], seam: Seam) -> Any:
        known = self._signature.parameters.values()
        first = [values.pop(item.name, item.default) for item in known if item.positional]
        if self.func is None or (self.coroutine is not None and seam.run.io.is_async):
            assert self.coroutine is not None  # one of the two is there
            return await seam.call_async(partial(self.coroutine, *first, **values))
        work = partial(self.func, *first, **values)
        return await seam.call_plain(work, inline=self.inline)

    def _answer(self, output: Any, call_id: str | None) -> Any:
        if isinstance(output, ToolMessage):
            return output
        artifact = None
        if self.response_format == "content_and_artifact":
            if not isinstance(output, tuple) or len(output) != 2:
                raise ToolError(
                    f"tool `{self.name}` must return (content, artifact), as its "
                    f"`response_format` says; it returned {type(output).__name__}"
                )
            output, artifact = output
        if call_id is None:
            return output
        return ToolMessage(content_of(output), call_id, artifact=artifact, name=self.name)

    def _failed(
        self, error: ToolError, policy: ErrorPolicy, call_id: str | None, seam: Seam
    ) -> Any:
        if policy is False:
            raise error
        if policy is True:
            said: Any = str(error)
        else:
            said = policy if isinstance(policy, str) else seam.call(policy, error)
        if call_id is None:
            return said
        return ToolMessage(content_of(said), call_id, name=self.name, status="error")

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        """This tool with values for its hidden parameters."""
        known = [name for name, mark in self.arguments.hidden.items() if mark is not None]
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            raise InputError(
                f"tool `{self.name}` takes its arguments in a dict; by keyword come the values "
                "of parameters marked InjectedToolArg, and there is no such "
                + ", ".join(f"`{name}`{suggestion(name, known)}" for name in unknown)
            )
        new = copy(self)
        new._given = {**self._given, **kwargs}
        return new

    def _check_fit(self) -> None:
        """Raises InputError where the function cannot be called with what the schema gives."""
        known, fields = self._signature.parameters, self.arguments.fields
        surplus = [] if self._signature.open else [name for name in fields if name not in known]
        missing = [
            item.name
            for item in known.values()
            if item.default is REQUIRED
            and item.name not in fields
            and item.name not in self.arguments.hidden
        ]
        if surplus or missing:
            said = [f"the schema has `{name}`, the function has not" for name in surplus]
            said += [f"the function needs `{name}`, the schema has it not" for name in missing]
            raise InputError(f"tool `{self.name}`: {'; '.join(said)}")

    def __repr__(self) -> str:
        return f"Tool({self.name})"


@overload
def tool(function: Callable[..., Any], /, **options: Unpack[ToolOptions]) -> Tool: ...
@overload
def tool(
    name: str | None = None, /, **options: Unpack[ToolOptions]
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(given: Any = None, /, **options: Unpack[ToolOptions]) -> Any:
    """A function as a Tool: `@tool`, `@tool("name")`, `@tool(response_format=...)`."""
    if callable(given):
        return Tool(given, **options)
    if given is not None and not isinstance(given, str):
        raise InputError(f"`tool` takes a function or a name, not {given!r}")
    if given is not None:
        options["name"] = given

    def make(function: Callable[..., Any]) -> Tool:
        return Tool(function, **options)

    return make


def _sorted(func: Any, coroutine: Any) -> tuple[Any, Any]:
    """(plain function, coroutine function), each where it belongs; one may be None."""
    for given in (func, coroutine):
        if is_generator_function(given) or is_async_generator_function(given):
            raise InputError("a tool returns one value; a generator cannot be one")
        if given is not None and (not callable(given) or isinstance(given, type)):
            raise InputError(f"a tool is made from a function, not {given!r}")
    if func is not None and is_coroutine_function(func):
        func, coroutine = None, coroutine or func
    if func is None and coroutine is None:
        raise InputError("a Tool takes a function, a coroutine function, or both")
    return func, coroutine


def _name(name: Any, function: Any) -> str:
    found = name_of(function) if name is None else name
    if not isinstance(found, str) or not found:
        raise InputError(f"a tool needs a name; give `name` for {function!r}")
    return found


def _checked(name: str, description: str | None) -> str:
    if not description:
        raise InputError(
            f"tool `{name}` has no description, and a model chooses by it; write a docstring, "
            "or give `description`"
        )
    return description


def _signature(function: Any, args_schema: Any) -> Signature:
    try:
        return read_function(function)
    except InputError:
        if args_schema is None:
            raise
        return Signature({}, open=True)  # a builtin that says nothing of its parameters


def _not_given(tool_name: str, name: str, mark: type[Any]) -> str:
    if issubclass(mark, InjectedToolCallId):
        return f"tool `{tool_name}` needs the id of a call for `{name}`; invoke it with a ToolCall"
    return (
        f"tool `{tool_name}` needs a value for `{name}`, which the model cannot set; give it by "
        f"`tool.bind({name}=...)` or at the call"
    )
