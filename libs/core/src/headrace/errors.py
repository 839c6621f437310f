"""The one tree of errors; every error says what was asked, found, and what to do.

HeadraceError
├── ConfigurationError
│   ├── UnknownProviderError · MissingPackageError · MissingCredentialError
├── InputError · SuspendedError · StepError · StepTimeoutError · RecursionLimitError
├── WireError · OutputParserError · StructuredOutputError · AnswerRejectedError
├── ToolError · ToolLoopLimitError · UsageLimitExceeded
├── UnsupportedParameterError · UnsupportedContentError
└── ModelError
    ├── ModelAuthenticationError · ModelPermissionDeniedError · ModelNotFoundError
    ├── ModelInvalidRequestError > ContextOverflowError
    ├── ModelRateLimitError · ModelAPIError · ModelConnectionError · ModelTimeoutError
    ├── ModelRefusalError
    └── StreamInterruptedError
    each with .partial and .usage: what had come of the answer
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from headrace.deferred import difflib

if TYPE_CHECKING:
    from collections.abc import Iterable


class HeadraceError(Exception):
    """Root of the tree; `.step` says where in a pipeline it was raised (`1:StrOutputParser`)."""

    step: str | None = None


class ConfigurationError(HeadraceError, ValueError):
    """A model, runnable or environment is set up in a way that cannot work."""


class UnknownProviderError(ConfigurationError):
    """No installed provider claims this name."""


class MissingPackageError(ConfigurationError, ImportError):
    """A known provider whose package is not installed; the message holds the pip command."""


class MissingCredentialError(ConfigurationError):
    """No key was given and none was found where the provider's keys are looked for."""


class InputError(HeadraceError, ValueError):
    """A value given to a runnable, message or tool has the wrong form."""


class SuspendedError(HeadraceError, RuntimeError):
    """A step really awaited something in a sync run; call it by `ainvoke` or `astream`."""


class StepError(HeadraceError, RuntimeError):
    """A user's function raised what cannot pass through a coroutine (StopIteration)."""


class RecursionLimitError(HeadraceError, RecursionError):
    """Runnables returned or called runnables more deeply than `recursion_limit`."""


class WireError(HeadraceError, ValueError):
    """Bytes from a provider are not what its protocol says."""


class OutputParserError(HeadraceError, ValueError):
    """A model's text does not have the form that a parser expects."""


class StructuredOutputError(OutputParserError):
    """No object of the asked schema came back: `raw` message, `errors`, `attempts`."""

    def __init__(
        self, message: str, *, raw: Any = None, errors: Iterable[str] = (), attempts: int = 1
    ) -> None:
        super().__init__(message)
        self.raw, self.errors, self.attempts = raw, list(errors), attempts


class AnswerRejectedError(HeadraceError):
    """A predicate of a retry or fallback refused an answer: `answer`, with its `usage`."""

    def __init__(self, message: str, *, answer: Any = None) -> None:
        super().__init__(message)
        self.answer, self.usage = answer, getattr(answer, "usage_metadata", None)


class ToolError(HeadraceError):
    """A tool failed, was misused, or raised this on purpose to tell the model why."""


class ToolLoopLimitError(HeadraceError):
    """A tool loop took its last allowed step and the model still asked for tools.

    `messages`: the conversation so far, which ends with the answer that asked.
    """

    def __init__(self, message: str, *, messages: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.messages = list(messages)


class UsageLimitExceeded(HeadraceError):  # noqa: N818 - the name the field knows
    """A budget of tokens, cost or requests is used up."""


class UnsupportedParameterError(HeadraceError, ValueError):
    """A model cannot take a parameter and `on_unsupported="raise"` was asked for."""


class UnsupportedContentError(HeadraceError, ValueError):
    """A model or its wire format cannot carry a content block."""


class ModelError(HeadraceError):
    """A provider refused, failed or could not be reached.

    `status` is the HTTP status, `code` the provider's own word, `request_id` its id for
    support, `retry_after` in seconds; each None where unknown. `partial` is the message as far
    as it had come when a stream broke off, `usage` what is known of its cost.
    """

    default_retryable: ClassVar[bool] = False
    partial: Any = None
    usage: Any = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.request_id = status, code, request_id
        self.retry_after = retry_after
        self.is_retryable = self.default_retryable if is_retryable is None else is_retryable


class ModelAuthenticationError(ModelError):
    """The key is missing, wrong or expired (401)."""


class ModelPermissionDeniedError(ModelError):
    """The key is good but may not do this (403)."""


class ModelInvalidRequestError(ModelError):
    """The provider does not accept the request (400, 422)."""


class ContextOverflowError(ModelInvalidRequestError):
    """The messages do not fit the model's context window."""


class ModelNotFoundError(ModelError):
    """No such model, deployment or path (404)."""


class ModelRateLimitError(ModelError):
    """Too many requests or tokens (429); `retry_after` says when to come back."""

    default_retryable = True


class ModelAPIError(ModelError):
    """The provider failed on its own side (5xx), or inside an answer of status 200."""

    default_retryable = True


class ModelConnectionError(ModelError):
    """No connection, or one that broke before an answer."""

    default_retryable = True


class ModelTimeoutError(ModelConnectionError, TimeoutError):
    """The provider did not answer within `timeout`."""


class StepTimeoutError(HeadraceError, TimeoutError):
    """A step was not done within its `with_timeout`; `partial` and `usage` as in ModelError."""

    partial: Any = None
    usage: Any = None


class ModelRefusalError(ModelError):
    """The model refused, where an object or a tool call was needed."""


class StreamInterruptedError(ModelConnectionError):
    """A stream broke off before its end."""

    def __init__(self, message: str, *, partial: Any = None, usage: Any = None, **kw: Any) -> None:
        super().__init__(message, **kw)
        self.partial, self.usage = partial, usage


def faults(error: Any) -> str:
    """What a pydantic ValidationError finds wrong, by field; never a value: it may be a secret."""
    told = []
    for item in error.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in item["loc"][:1]) or "parameters"
        told.append(f"`{field}`: {item['msg']}")
    return "; ".join(dict.fromkeys(told))


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean `x`?)` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean `{close[0]}`?)" if close else ""
