"""BaseChatModel: the specification of a model, and what a partner writes to make one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field, StrictBool, field_validator

from headrace.chat_models.asking import ask, ask_stream
from headrace.chat_models.matrix import supports
from headrace.chat_models.model import Model
from headrace.chat_models.notes import ContentPolicy
from headrace.chat_models.options import read_option, with_neutral_effort
from headrace.chat_models.room import tokens_of
from headrace.chat_models.settings import Call, Settings, check_choice, shown
from headrace.chat_models.shaping import shape, why_refused
from headrace.chat_models.specification import Specification
from headrace.chat_models.timeouts import Timeout, Watch
from headrace.chat_models.wires import Wire
from headrace.errors import InputError, UnsupportedParameterError
from headrace.messages import AIMessage, BaseMessage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run


class BaseChatModel(Specification, Model[AIMessage], abstract=True):
    """A chat model: frozen parameters, and every method of `Model`.

    A partner adds parameters as pydantic fields with their ranges and writes one of
    `async _generate(messages, settings, run)` and `_stream(...)`, an async generator; all
    waiting goes through `run.io`. Retries, timeouts and events are not its business.
    """

    effort_spellings: ClassVar[frozenset[str]] = frozenset()  # provider's own `reasoning_effort`
    plumbing: ClassVar[frozenset[str]] = Specification.plumbing | {"on_unsupported_content", "stop"}

    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0: the likeliest words."
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer, in tokens."
    )
    stop: tuple[str, ...] | None = Field(default=None, description="Texts that end the answer.")
    reasoning_effort: str | int | None = Field(
        default=None, description='"none" … "max", a number of tokens, or on (true) and off.'
    )
    cache_prompt: StrictBool | Literal["5m", "1h"] | None = Field(
        default=None, description="Cache the beginning of the prompt, in the provider's way."
    )
    on_unsupported_content: ContentPolicy = Field(
        default="raise", description="What to do with content that the model cannot see."
    )
    model_kwargs: Mapping[str, Any] | None = Field(
        default=None, description="Wire parameters more."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if (
            not kwargs.get("abstract")
            and cls._generate is BaseChatModel._generate
            and cls._stream is BaseChatModel._stream
        ):
            raise TypeError(
                f"class {cls.__name__} has neither `async def _generate(self, messages, "
                "settings, run)` nor the async generator `_stream` of the same; write one"
            )

    @field_validator("stop", mode="before")
    @classmethod
    def _read_stop(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("reasoning_effort", mode="before")
    @classmethod
    def _read_switch(cls, value: Any) -> Any:
        return ("on" if value else "none") if isinstance(value, bool) else value

    # What a partner writes.

    @classmethod
    def _neutral(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return with_neutral_effort(cls, given)

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        raise NotImplementedError

    def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[Any, None]:
        raise NotImplementedError

    def _wire(self) -> Wire:
        """How the service takes what is asked of it: renamed, refused, within what range."""
        return Wire(service=self.provider)

    def _wire_for(self, settings: Settings) -> Wire:
        """As `_wire`, where a request itself decides by which of several APIs it goes."""
        return self._wire()

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any] | None:
        """The body that would be sent, for `preflight`; pure. None: this model does not say."""
        return None

    def _text_tokens(self, text: str) -> int:
        """Tokens of a bare text, by an estimate; pure, and without network."""
        return ceil(len(text) / 4)

    def _estimate_tokens(self, messages: list[BaseMessage], settings: Settings) -> int:
        """Tokens of a request's input, by an estimate; pure, and without network."""
        return tokens_of(messages, settings)

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        """Tokens of a request's input as the provider counts them, for `exact=True`."""
        raise UnsupportedParameterError(
            f"`exact=True`: `{self.provider}` has no endpoint that counts tokens, or none that "
            f"`{type(self).__name__}` knows; leave it out for an estimate"
        )

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int | Mapping[str, Any]:
        """The `reasoning_effort` that the provider's own spellings of it mean.

        Or several parameters by name, where a spelling says more than an effort.
        """
        raise NotImplementedError

    def _structured_method(self, settings: Settings) -> str:
        """How this model gives objects best, from its profile: see `with_structured_output`."""
        facts = self.profile
        if facts.get("structured_output"):
            return "json_schema"
        return "prompted" if facts.get("tool_calling") is False else "function_calling"

    # A model as others see it.

    @property
    def streams(self) -> bool:
        return type(self)._stream is not BaseChatModel._stream

    @property
    def generates(self) -> bool:
        return type(self)._generate is not BaseChatModel._generate

    @property
    def spec(self) -> BaseChatModel:
        return self

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        return change(self)

    def supports(self, name: str) -> bool | None:
        """Whether the model takes a parameter, or sees a kind of content; None: nobody knows.

        Names: of parameters, of `headrace params`, and of the facts that say yes or no.
        """
        return supports(self, name)

    def _inmost(self, call: Call) -> tuple[BaseChatModel, Call]:
        return self, call

    async def _ask(self, input: Any, call: Call, run: Run) -> AIMessage:
        return await ask(self, input, call, run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return ask_stream(self, input, call, run)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises InputError for options of a call that this model does not know."""
        for name, value in type(self)._neutral(options).items():
            read_option(type(self), name, value)

    def settings(self, call: Call) -> Settings:
        """What is asked of the provider: the model's own fields under the call's options."""
        cls = type(self)
        params = {
            name: value
            for name, value in self.__dict__.items()
            if value is not None and name not in cls.plumbing
        }
        timeout = cast(Timeout, self.timeout)
        for name, value in cls._neutral(call.options).items():
            field, value = read_option(cls, name, value)
            if field == "timeout":
                timeout = value
            elif field in cls.plumbing:
                raise InputError(
                    f"`{name}` belongs to the model, not to a call; "
                    f"make another one by `model_copy(update={{{name!r}: …}})`"
                )
            elif value is None:
                params.pop(field, None)
            else:
                params[field] = value
        if call.timeouts:
            timeout = replace(timeout, **call.timeouts)
        stop = self.stop if call.stop is None else call.stop
        choice, only = call.choice()
        settings = Settings(
            params,
            Watch(timeout),
            call.tools,
            choice,
            stop=tuple(stop or ()),
            preflight=call.preflight,
        )
        if call.schema is not None:
            settings = self._structured(settings, call)
        check_choice(settings.tool_choice, settings.tools)
        if only is None:
            return settings
        return replace(settings, tools=shown(settings.tools, only, call.schema))

    def _structured(self, settings: Settings, call: Call) -> Settings:
        schema = call.schema
        assert schema is not None
        method: str = schema.method
        facts, refused = self.profile.facts, None
        if method == "auto":
            method = self._structured_method(settings)
            if method == "json_schema":
                refused = why_refused(schema, self._wire().schemas)
            if refused is not None:
                method = "prompted" if facts.get("tool_calling") is False else "function_calling"
        return shape(settings, schema, method, facts, call.rung, refused)
