"""Models whose parameters, or whose very name, a call's config decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.chat_models.model import Layer, Layered, Model
from headrace.engine.hooks import provide
from headrace.engine.recent import Recent
from headrace.errors import InputError
from headrace.messages import AIMessage
from headrace.runnables.configurable import config_specs, spec_of
from headrace.runnables.configuring import (
    AnyField,
    ConfigSpec,
    check_fields,
    field_values,
    frozen_key,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call
    from headrace.engine.run import Run

SENSITIVE = frozenset({"api_key", "base_url", "credential", "default_headers", "proxy"})
KEPT = 128  # models kept, one for each distinct configuration


class ConfigurableChatModel(Model[AIMessage]):
    """A model made from `defaults` and the `configurable` values of each call.

    `fields`: the names that may be set, or "any": all but keys, URLs, headers and proxies,
    through which a caller could send prompts elsewhere. Other keys are left to others.
    """

    __slots__ = ("_kept", "_make", "defaults", "fields", "prefix")

    def __init__(
        self,
        make: Callable[[dict[str, Any]], Model[AIMessage]],
        defaults: Mapping[str, Any],
        fields: Sequence[str] | str,
        prefix: str = "",
    ) -> None:
        if isinstance(fields, str) and fields != "any":
            raise InputError(f'`configurable_fields` is "any" or a list of names, not {fields!r}')
        self._make, self.defaults = make, dict(defaults)
        self.fields = fields if isinstance(fields, str) else tuple(fields)
        self.prefix = f"{prefix}_" if prefix and not prefix.endswith("_") else prefix
        self._kept: Recent[Model[Any]] = Recent(KEPT)

    def _chosen(self, configurable: Mapping[str, Any]) -> Model[AIMessage]:
        values = dict(self.defaults)
        for key, value in configurable.items():
            name = key.removeprefix(self.prefix)
            if not key.startswith(self.prefix):
                continue
            if self.fields == "any":
                if name in SENSITIVE:
                    raise InputError(
                        f'`{key}` is not configurable by `configurable_fields="any"`: '
                        "name it there to allow it"
                    )
            elif name not in self.fields:
                continue
            values[name] = value
        return _kept(self._kept, values, lambda: self._make(values))

    async def _ask(self, input: Any, call: Call, run: Run) -> Any:
        return await self._chosen(run.configurable)._ask(input, call, run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return self._chosen(run.configurable)._ask_stream(input, call, run)

    def _inmost(self, call: Call) -> tuple[BaseChatModel, Call]:
        return self._chosen({})._inmost(call)

    @property
    def spec(self) -> BaseChatModel | None:
        return self._chosen({}).spec if "model" in self.defaults else None

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        def make(values: dict[str, Any]) -> Model[Any]:
            return self._make(values)._respec(change)

        return ConfigurableChatModel(make, self.defaults, self.fields, self.prefix)

    def get_name(self, suffix: str | None = None) -> str:
        return self.spec.get_name() if self.spec is not None else type(self).__name__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self.spec is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.spec, name)

    def __repr__(self) -> str:
        shown = {k: v for k, v in self.defaults.items() if k not in SENSITIVE}
        return f"ConfigurableChatModel({shown!r})"


class Configure(Layer):
    """`configurable_fields`: parameters of the model inside that a call's config may set."""

    __slots__ = ("_kept", "fields")

    def __init__(self, model: Model[Any], fields: Mapping[str, AnyField]) -> None:
        if model.spec is not None:
            check_fields(model.spec, fields)
        self.fields = dict(fields)
        self._kept: Recent[Model[Any]] = Recent(KEPT)

    def _inner(self, inner: Model[Any], run: Run) -> Model[Any]:
        values = field_values(self.fields, run.configurable)
        if not values:
            return inner

        def respecified() -> Model[Any]:
            return inner._respec(lambda spec: spec.model_copy(update=values))

        return _kept(self._kept, values, respecified)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        return await self._inner(inner, run)._ask(input, call, run)

    def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        return self._inner(inner, run)._ask_stream(input, call, run)

    def __repr__(self) -> str:
        return f"configurable_fields({', '.join(self.fields)})"


def _kept(
    models: Recent[Model[Any]], values: Mapping[str, Any], make: Callable[[], Model[Any]]
) -> Model[Any]:
    """One model for each configuration; one for each call where values have no key."""
    key = frozen_key(values)
    return make() if key is None else models.get(key, make)


@config_specs.register(Layered)
def _(step: Layered[Any]) -> Iterable[ConfigSpec]:
    if isinstance(step.layer, Configure):
        for name, field in step.layer.fields.items():
            yield spec_of(step.spec, name, field)
    yield from config_specs(step.inner)


@config_specs.register(ConfigurableChatModel)
def _(step: ConfigurableChatModel) -> Iterable[ConfigSpec]:
    names = ("model", "model_provider") if step.fields == "any" else step.fields
    for name in names:
        known = type(step.spec).model_fields.get(name) if step.spec is not None else None
        yield ConfigSpec(
            step.prefix + name,
            known.annotation if known is not None else Any,
            step.defaults.get(name),
            name,
            known.description if known is not None else None,
        )


provide("configure_layer", Configure)
