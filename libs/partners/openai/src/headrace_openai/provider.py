"""The providers this package registers: OpenAI, and each compatible service of the table."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from headrace.chat_models import Model
from headrace.registry import Provider
from headrace_openai.dialects import DIALECTS, Dialect


def _provider(row: Dialect) -> Provider:
    def make(**params: Any) -> Model[Any]:
        # Only now: the class brings pydantic fields that nobody who lists providers needs.
        model_class = import_module("headrace_openai.chat").ChatOpenAI
        chosen = {} if row.id == "openai" else {"dialect": row.id}
        model: Model[Any] = model_class(**{**chosen, **params})
        return model

    return Provider(row.id, make, hosts=row.hosts, package="headrace-openai")


def __getattr__(name: str) -> Provider:
    """A provider by its id: what the entry points lead to."""
    row = DIALECTS.get(name)
    if row is None:
        raise AttributeError(f"module {__name__!r} has no provider {name!r}")
    return _provider(row)
