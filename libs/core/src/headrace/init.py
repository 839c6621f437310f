"""init_chat_model, init_embeddings: any installed provider's model from a name.

A chat model may also be one that a call decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from headrace.chat_models import Model
from headrace.chat_models.configurable import ConfigurableChatModel
from headrace.embeddings import Embeddings
from headrace.errors import ConfigurationError, InputError
from headrace.messages import AIMessage
from headrace.registry import canonical, find_provider, infer_provider, is_provider, provider_of_url


def init_chat_model(
    model: str | None = None,
    *,
    model_provider: str | None = None,
    configurable_fields: Literal["any"] | Sequence[str] | None = None,
    config_prefix: str | None = None,
    **params: Any,
) -> Model[AIMessage]:
    """A chat model by name: `provider:model`, or a bare name whose provider is inferred.

    With `configurable_fields`, or without a model, `configurable` in a call's config may set
    those fields ("model", "model_provider"; keys begin with `config_prefix_`). "any" leaves
    `api_key` and `base_url` alone: they are configurable only when named.
    """
    if model is None and not configurable_fields:
        configurable_fields = ("model", "model_provider")
    if configurable_fields is None:
        if config_prefix is not None:
            raise InputError("`config_prefix` needs `configurable_fields`")
        assert model is not None
        return _make(model, model_provider, params)
    defaults = {**params}
    if model is not None:
        defaults["model"] = model
    if model_provider is not None:
        defaults["model_provider"] = model_provider
    return ConfigurableChatModel(_from, defaults, configurable_fields, config_prefix or "")


def init_embeddings(model: str, *, provider: str | None = None, **params: Any) -> Embeddings:
    """An embedding model by name: `provider:model`, or a bare name whose provider is inferred."""
    name, rest = _split(model, provider, params)
    return find_provider(name).make_embeddings(model=rest, **params)


def _from(values: dict[str, Any]) -> Model[AIMessage]:
    rest = dict(values)
    model, provider = rest.pop("model", None), rest.pop("model_provider", None)
    if model is None:
        raise ConfigurationError(
            "no model is set: give one to `init_chat_model`, or in the call's config as "
            '{"configurable": {"model": "provider:name"}}'
        )
    return _make(model, provider, rest)


def _make(model: str, provider: str | None, params: dict[str, Any]) -> Model[AIMessage]:
    name, rest = _split(model, provider, params)
    return find_provider(name).make(model=rest, **params)


def _split(model: str, provider: str | None, params: dict[str, Any]) -> tuple[str, str]:
    if not str(model).strip():
        raise InputError(f"a model is named by a string such as 'offline:demo', not {model!r}")
    return split_name(model, provider, params.get("base_url"))


def split_name(model: str, provider: str | None, base_url: str | None) -> tuple[str, str]:
    """(provider id, model name), from what was given or can be told without guessing."""
    head, colon, tail = model.partition(":")
    prefixed = bool(colon) and bool(tail) and is_provider(head)
    if provider is not None:
        if prefixed and canonical(head) == canonical(provider):
            return canonical(provider), tail
        return canonical(provider), model
    if prefixed:
        return canonical(head), tail
    if base_url is not None:
        return provider_of_url(base_url), model
    return infer_provider(model), model
