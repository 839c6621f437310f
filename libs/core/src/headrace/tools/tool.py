"""Tool: a function that a model may call, as a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypedDict, cast

from headrace.engine.drive import Once, close
from headrace.engine.run import config_of
from headrace.engine.sums import NOTHING, Accumulator
from headrace.engine.user import Seam, is_async_generator_function, is_generator_function
from headrace.errors import InputError, ToolError, suggestion
from headrace.messages import ToolMessage
from headrace.runnables.base import Runnable, collect
from headrace.tools.arguments import ToolArgumentError
from headrace.tools.declaring import (
    described,
    find,
    home_of,
    named,
    not_given,
    said_by_class,
    signature_of,
    sorted_functions,
)
from headrace.tools.docstring import Docstring, read_docstring
from headrace.tools.inference import arguments_of, documents
from headrace.tools.injection import InjectedToolCallId, ToolRuntime
from headrace.tools.result import content_of
from headrace.tools.signature import REQUIRED, doc_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run, RunnableConfig
    from headrace.messages import BaseMessage

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
    ToolMessage. Of a generator function the value is the sum of what it yields, and a stream
    gives the parts. What is marked InjectedToolArg, a ToolRuntime, `config` and `run` are hidden
    from the model. Errors are raised; a policy makes them the answer instead: True, a text,
    or a function of the error. A subclass writes `_run` or `_arun` or both, and says the rest
    by class attributes named as the parameters here.
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
        return_direct: bool | None = None,
        response_format: ResponseFormat | None = None,
        parse_docstring: bool | None = None,
        handle_tool_error: ErrorPolicy | None = None,
        handle_validation_error: ErrorPolicy | None = None,
        inline: bool | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        self._hooked = func is None and coroutine is None
        if self._hooked:
            func, coroutine = self._hooks()
        self.func, self.coroutine = sorted_functions(func, coroutine)
        self.args_schema = self._setting("args_schema", args_schema)
        self.return_direct = bool(self._setting("return_direct", return_direct))
        self.response_format = self._setting("response_format", response_format) or "content"
        self.inline = bool(self._setting("inline", inline))
        policy, other = handle_tool_error, handle_validation_error
        self.handle_tool_error = self._setting("handle_tool_error", policy) or False
        self.handle_validation_error = self._setting("handle_validation_error", other) or False
        self.extras = dict(self._setting("extras", extras) or {})
        self.parse_docstring = self._setting("parse_docstring", parse_docstring)
        own_name = type(self).__name__ if self._hooked else None
        self.name = named(self._setting("name", name) or own_name, self.func or self.coroutine)
        self._given: dict[str, Any] = {}
        self._around: tuple[Sequence[BaseMessage], dict[str, Any]] | None = None
        self._origin: Tool | None = None
        self._method = False  # whether it waits for the instance it is a method of
        self._home: tuple[Any, str] | None = None  # that instance, and its own name there
        self._describe(self._setting("description", description))

    def __set_name__(self, owner: type, name: str) -> None:
        function = self.func or self.coroutine
        if getattr(function, "__qualname__", None) == f"{owner.__qualname__}.{name}":
            self._method, self._home = True, (owner, name)
            self._derive()

    def __get__(self, instance: Any, owner: type | None = None) -> Self:
        """The tool of an instance, where it was made of a method in the body of a class."""
        if instance is None or not self._method or self._home is None:
            return self
        func, coroutine = (f and MethodType(f, instance) for f in (self.func, self.coroutine))
        home = instance, self._home[1]
        return self._changed(func=func, coroutine=coroutine, _method=False, _home=home)

    def _describe(self, said: Any) -> None:
        if self.response_format not in ("content", "content_and_artifact"):
            raise InputError(
                "`response_format` is 'content' or 'content_and_artifact', not "
                f"{self.response_format!r}"
            )
        found = self._derive()
        self.description = described(self.name, said or found)
        self.__doc__ = self._doc().whole or self.description

    def _setting(self, name: str, given: Any) -> Any:
        return said_by_class(type(self), Tool, name) if given is None else given

    def _hooks(self) -> tuple[Any, Any]:
        return getattr(self, "_run", None), getattr(self, "_arun", None)

    def _doc(self) -> Docstring:
        """The docstring of the function; of a subclass, its own before that of its method."""
        found = read_docstring(doc_of(self.func or self.coroutine))
        own = read_docstring(said_by_class(type(self), Tool, "__doc__"))
        if own.whole and not own.arguments:
            return replace(found, whole=own.whole, text=own.whole)
        return own if own.whole else found

    def _derive(self) -> str | None:
        """Takes the arguments from the function; gives what describes the tool."""
        doc, schema = self._doc(), self.args_schema
        function = self.func or self.coroutine
        function = partial(function, None) if function and self._method else function
        self._signature = signature_of(function, schema)
        parse = self.parse_docstring
        self.arguments = arguments_of(self.name, self._signature, schema, doc, parse)
        self._check_fit()
        schema_says = self.arguments.parameters.pop("description", None)
        # What the docstring says of the arguments leaves the text only for their schema.
        taken = schema is None and parse is not False
        written = doc.text if taken and documents(doc, self._signature) else doc.whole
        return written or schema_says

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
            elif issubclass(mark, ToolRuntime):
                given.setdefault(name, self._runtime(run, call_id))
            elif name not in given and self._needs(name):
                raise InputError(not_given(self.name, name, mark))
        try:
            values = self.arguments.check(args, given)
        except ToolArgumentError as error:
            raise ToolArgumentError(f"bad arguments for tool `{self.name}`: {error}") from error
        return {**given, **values}

    def _runtime(self, run: Run, call_id: str | None) -> ToolRuntime:
        messages, state = self._around or ((), {})
        config = cast("RunnableConfig", config_of(run))
        return ToolRuntime(config, run, call_id, messages, state)

    def inside(self, messages: Sequence[BaseMessage], state: dict[str, Any]) -> Tool:
        """This tool with what its ToolRuntime shows of a conversation; itself if it has none."""
        marks = self.arguments.hidden.values()
        if not any(mark is not None and issubclass(mark, ToolRuntime) for mark in marks):
            return self
        return self._changed(_around=(tuple(messages), state))

    def _needs(self, name: str) -> bool:
        """Whether a hidden parameter has no default."""
        if name in self.arguments.fields:
            return name not in self.arguments.defaulted
        return self._signature.parameters[name].default is REQUIRED

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        input = await collect(chunks, run)
        if input is NOTHING:
            return
        seam = Seam(run, self.name)
        args, call_id = self._read(input)
        if call_id is not None or not self._yields(run):
            yield await self._invoke(input, run)
            return
        try:
            values = self._values(args, None, run)
        except ToolArgumentError as error:
            yield self._failed(error, self.handle_validation_error, None, seam)
            return
        parts = self._parts(values, seam)
        try:
            async for part in parts:
                yield part
        except ToolError as error:
            yield self._failed(error, self.handle_tool_error, None, seam)
        finally:
            await close(parts)

    def _chosen(self, run: Run) -> Callable[..., Any]:
        """The function for this world."""
        if self._method:
            raise InputError(f"tool `{self.name}` is a method; take it from an instance")
        waits = self.func is None or (self.coroutine is not None and run.io.is_async)
        function: Callable[..., Any] = self.coroutine if waits else self.func
        return function

    def _yields(self, run: Run) -> bool:
        function = self._chosen(run)
        return is_generator_function(function) or is_async_generator_function(function)

    def _work(self, values: dict[str, Any], run: Run) -> Callable[[], Any]:
        known = self._signature.parameters.values()
        first = [values.pop(item.name, item.default) for item in known if item.positional]
        return partial(self._chosen(run), *first, **values)

    async def _call(self, values: dict[str, Any], seam: Seam) -> Any:
        if self._yields(seam.run):
            total, parts = Accumulator(), self._parts(values, seam)
            try:
                async for part in parts:
                    total.feed(part)
            finally:
                await close(parts)
            return None if total.empty else total.total()
        plain = self._chosen(seam.run) is self.func
        work = self._work(values, seam.run)
        return await (seam.call_plain(work, inline=self.inline) if plain else seam.call_async(work))

    def _parts(self, values: dict[str, Any], seam: Seam) -> AsyncIterator[Any]:
        """What a generator function yields."""
        work = self._work(values, seam.run)
        if is_async_generator_function(self._chosen(seam.run)):
            return seam.items(seam.call(work))
        return seam.run.io.generate(lambda _: work(), Once(None), seam)

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
        return self._changed(_given={**self._given, **kwargs})

    def _changed(self, **values: Any) -> Self:
        # By hand: `copy` gives back a tool that stands in its module, as it does a function.
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, _origin=self._origin or self, **values)
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

    def __reduce_ex__(self, protocol: Any) -> Any:
        """By its name, where it stands in a module in place of its function."""
        if self._home is not None and not self._method:
            return _of_instance, (*self._home, self._given)
        origin = self._origin or self
        home = home_of(origin, self.func or self.coroutine)
        if home is None:
            return super().__reduce_ex__(protocol)
        return (find, home) if origin is self else (_rebound, (origin, self._given))

    def __getstate__(self) -> dict[str, Any]:
        derived = ("_signature", "arguments", *(("func", "coroutine") if self._hooked else ()))
        return {name: value for name, value in self.__dict__.items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._hooked:
            self.func, self.coroutine = sorted_functions(*self._hooks())
        self._derive()

    def __repr__(self) -> str:
        return f"Tool({self.name})"


def _of_instance(instance: Any, name: str, given: dict[str, Any]) -> Tool:
    tool: Tool = getattr(instance, name)
    return tool._changed(_given=given) if given else tool


def _rebound(tool: Tool, given: dict[str, Any]) -> Tool:
    return tool._changed(_given=given)
