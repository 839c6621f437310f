"""Models whose parameters, or whose very name, a call's config decides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from headrace.chat_models.model import Layer, Model
from headrace.engine.hooks import provide
from headrace.errors import InputError
from headrace.messages import AIMessage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call
    from headrace.engine.run import Run

SENSITIVE = frozenset({"api_key", "base_url", "default_headers", "proxy"})
KEPT = 128  # models kept, one for each distinct configuration


class _Kept:
    """The models made so far: one for each configuration, not one for each call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._models: OrderedDict[str, tuple[Any, Model[Any]]] = OrderedDict()

    def get(self, values: Mapping[str, Any], make: Callable[[], Model[Any]]) -> Model[Any]:
        key = repr(sorted((name, repr(value)) for name, value in values.items()))
        with self._lock:
            if key in self._models and self._models[key][0] == values:
                self._models.move_to_end(key)
                return self._models[key][1]
        model = make()
        with self._lock:
            self._models[key] = (dict(values), model)
            while len(self._models) > KEPT:
                self._models.popitem(last=False)
        return model

    def __reduce__(self) -> Any:
        return (_Kept, ())


class ConfigurableChatModel(Model[AIMessage]):
    """A model made from `defaults` and the `configurable` values of each call.

    `fields`: the names that may be set, or "any": all but keys, URLs, headers and proxies,
    through which a caller could send prompts elsewhere. Other keys are left to others.
    """

    __slots__ = ("_defaults", "_fields", "_kept", "_make", "_prefix")

    def __init__(
        self,
        make: Callable[[dict[str, Any]], Model[AIMessage]],
        defaults: Mapping[str, Any],
        fields: Sequence[str] | str,
        prefix: str = "",
    ) -> None:
        if isinstance(fields, str) and fields != "any":
            raise InputError(f'`configurable_fields` is "any" or a list of names, not {fields!r}')
        self._make, self._defaults = make, dict(defaults)
        self._fields = fields if isinstance(fields, str) else tuple(fields)
        self._prefix = f"{prefix}_" if prefix and not prefix.endswith("_") else prefix
        self._kept = _Kept()

    def _chosen(self, configurable: Mapping[str, Any]) -> Model[AIMessage]:
        values = dict(self._defaults)
        for key, value in configurable.items():
            name = key.removeprefix(self._prefix)
            if not key.startswith(self._prefix):
                continue
            if self._fields == "any":
                if name in SENSITIVE:
                    raise InputError(
                        f'`{key}` is not configurable by `configurable_fields="any"`: '
                        "name it there to allow it"
                    )
            elif name not in self._fields:
                continue
            values[name] = value
        return self._kept.get(values, lambda: self._make(values))

    async def _ask(self, input: Any, call: Call, run: Run) -> Any:
        return await self._chosen(run.configurable)._ask(input, call, run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return self._chosen(run.configurable)._ask_stream(input, call, run)

    @property
    def spec(self) -> BaseChatModel | None:
        return self._chosen({}).spec if "model" in self._defaults else None

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        def make(values: dict[str, Any]) -> Model[Any]:
            return self._make(values)._respec(change)

        return ConfigurableChatModel(make, self._defaults, self._fields, self._prefix)

    def get_name(self, suffix: str | None = None) -> str:
        return self.spec.get_name() if self.spec is not None else type(self).__name__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self.spec is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.spec, name)

    def __repr__(self) -> str:
        shown = {k: v for k, v in self._defaults.items() if k not in SENSITIVE}
        return f"ConfigurableChatModel({shown!r})"


class Configure(Layer):
    """`configurable_fields`: parameters of the model inside that a call's config may set."""

    __slots__ = ("_fields", "_kept")

    def __init__(self, model: Model[Any], fields: Mapping[str, Any]) -> None:
        known = type(model.spec).model_fields if model.spec is not None else None
        for name in fields:
            if known is not None and name not in known:
                raise InputError(f"`{model.get_name()}` has no field `{name}` to configure")
        self._fields = {name: getattr(field, "id", field) for name, field in fields.items()}
        self._kept = _Kept()

    def _inner(self, inner: Model[Any], run: Run) -> Model[Any]:
        given = {n: run.configurable[i] for n, i in self._fields.items() if i in run.configurable}
        if not given:
            return inner

        def respecified() -> Model[Any]:
            return inner._respec(lambda spec: spec.model_copy(update=given))

        return self._kept.get(given, respecified)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        return await self._inner(inner, run)._ask(input, call, run)

    def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        return self._inner(inner, run)._ask_stream(input, call, run)

    def __repr__(self) -> str:
        return f"configurable_fields({', '.join(self._fields)})"


provide("configure_layer", Configure)
