"""Where a chat's model is, in LangChain's words.

An endpoint holds settings; ChatHuggingFace is the model, and says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.errors import InputError

# What LangChain's class has and chats have not; its streams are asked for by `stream`.
_IDLE = frozenset({"streaming", "verbose", "task"})
_CHATS = ("text-generation", "conversational", "image-text-to-text")


class HuggingFaceEndpoint:
    """A model of the Inference Providers by `repo_id`, or a dedicated one by `endpoint_url`.

    Further parameters are those of ChatHuggingFace.
    """

    __slots__ = ("params",)

    def __init__(
        self,
        repo_id: str | None = None,
        *,
        endpoint_url: str | None = None,
        provider: str | None = None,
        **params: Any,
    ) -> None:
        check_task(params.get("task"))
        if repo_id is None and endpoint_url is None and not params.get("model"):
            raise InputError(
                "HuggingFaceEndpoint needs `repo_id`, a model's name on the Hub, or `endpoint_url`"
            )
        given = {"repo_id": repo_id, "endpoint_url": endpoint_url, "provider": provider}
        named = {name: value for name, value in given.items() if value is not None}
        rest = {name: value for name, value in params.items() if name not in _IDLE}
        self.params: Mapping[str, Any] = {**named, **rest}

    def __repr__(self) -> str:
        shown = ("repo_id", "model", "endpoint_url", "provider")
        said = ", ".join(f"{k}={self.params[k]!r}" for k in shown if k in self.params)
        return f"HuggingFaceEndpoint({said})"


def check_task(task: str | None) -> None:
    """Raises InputError for a task that is no conversation."""
    if task is not None and task not in _CHATS:
        known = ", ".join(f"{name!r}" for name in _CHATS)
        raise InputError(f"`task` = {task!r} is no chat; ChatHuggingFace does {known}")
