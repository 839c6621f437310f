"""Steps that `configurable` in a config changes or chooses, call by call."""

from __future__ import annotations

from copy import copy
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal, Self

from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.recent import Recent
from headrace.errors import ConfigurationError
from headrace.runnables.base import Runnable
from headrace.runnables.binding import RunnableBinding
from headrace.runnables.configuring import (
    AnyField,
    ConfigSpec,
    ConfigurableField,
    ConfigurableFieldMultiOption,
    ConfigurableFieldSingleOption,
    check_fields,
    field_values,
    frozen_key,
    option,
    rebuilt,
)
from headrace.runnables.structure import parts_of
from headrace.runnables.wrapping import rewrapped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping

    from headrace.engine.run import Run

__all__ = [
    "ConfigurableField",
    "ConfigurableFieldMultiOption",
    "ConfigurableFieldSingleOption",
    "RunnableConfigurableAlternatives",
    "RunnableConfigurableFields",
    "config_specs",
    "specs_of",
]

VARIANTS = 32  # built steps that a configurable one keeps

_Change = tuple[str, tuple[Any, ...], dict[str, Any]]  # a method and its arguments


class _Configurable(Runnable[Any, Any], abstract=True):
    """`default`, or what the config makes of it; methods change whatever it will be.

    `_changes` are the methods called on it so far (`bind_tools` …), done again on each variant.
    """

    __slots__ = ("_built", "_changed", "_changes", "default")
    transparent = True

    def __init__(self, default: Runnable[Any, Any]) -> None:
        self.default = default
        self._built: Recent[Runnable[Any, Any]] = Recent(VARIANTS)
        self._changed: Recent[Runnable[Any, Any]] = Recent(VARIANTS)
        self._changes: tuple[_Change, ...] = ()

    def _chosen(self, run: Run) -> tuple[Runnable[Any, Any], Run]:
        """The step for the config of `run`, and the run to give it."""
        raise NotImplementedError

    async def _invoke(self, input: Any, run: Run) -> Any:
        step, run = self._chosen(run)
        return await run.invoke(step, input)

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        step, run = self._chosen(run)
        items = run.transform(step, chunks)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def _variant(self, key: Any, build: Callable[[], Runnable[Any, Any]]) -> Runnable[Any, Any]:
        """What `build` gives, with the changes; once for a key, unless that is None."""
        if key is None:
            return self._after_changes(build())
        if not self._changes:
            return self._built.get(key, build)
        return self._changed.get(key, lambda: self._after_changes(self._built.get(key, build)))

    def _after_changes(self, step: Runnable[Any, Any]) -> Runnable[Any, Any]:
        for name, args, kwargs in self._changes:
            step = getattr(step, name)(*args, **kwargs)
        return step

    def _changing(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        new = copy(self)
        new._changed = Recent(VARIANTS)
        new._changes = (*self._changes, (name, args, kwargs))
        return new

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        self.default._with_kwargs(kwargs)  # says at once what it does not take
        return self._changing("_with_kwargs", (kwargs,), {})

    def _limit(self) -> int | None:
        return self.default._limit()

    def get_name(self, suffix: str | None = None) -> str:
        return self.default.get_name(suffix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "default":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        inner = self._after_changes(self.default)
        return rewrapped(
            getattr(inner, name),
            lambda method, made, args, kwargs: self._changing(method, args, kwargs),
        )


class RunnableConfigurableFields(_Configurable):
    """`default` with the fields that the config sets; each distinct setting is built once."""

    __slots__ = ("fields",)

    def __init__(self, default: Runnable[Any, Any], fields: Mapping[str, AnyField]) -> None:
        check_fields(default, fields)
        super().__init__(default)
        self.fields = dict(fields)

    def _chosen(self, run: Run) -> tuple[Runnable[Any, Any], Run]:
        values = field_values(self.fields, run.configurable)
        if not values:
            return self._variant((), lambda: self.default), run
        return self._variant(frozen_key(values), lambda: rebuilt(self.default, values)), run

    def __repr__(self) -> str:
        return f"{self.default!r}.configurable_fields({', '.join(self.fields)})"


class RunnableConfigurableAlternatives(_Configurable):
    """`default`, or the alternative that the config names under `which.id`.

    An alternative is a Runnable, or a function without arguments that makes one when it is
    first asked for. `prefix_keys`: the fields inside an alternative are set under
    `{which.id}=={key}/{id}`, so that alternatives may have fields of the same id.
    """

    __slots__ = ("alternatives", "default_key", "prefix_keys", "which")

    def __init__(
        self,
        which: ConfigurableField,
        default: Runnable[Any, Any],
        alternatives: Mapping[str, Any],
        *,
        default_key: str = "default",
        prefix_keys: bool = False,
    ) -> None:
        if not isinstance(which, ConfigurableField):
            raise ConfigurationError(
                f"`configurable_alternatives` takes a ConfigurableField first, not {which!r}"
            )
        if default_key in alternatives:
            raise ConfigurationError(
                f"`{default_key}` names the default and an alternative; say another `default_key`"
            )
        for key, made in alternatives.items():
            if not callable(made) and not isinstance(made, Runnable):
                raise ConfigurationError(
                    f"alternative `{key}` is a Runnable or a function that makes one, not {made!r}"
                )
        super().__init__(default)
        self.which, self.default_key, self.prefix_keys = which, default_key, prefix_keys
        self.alternatives = {default_key: default, **alternatives}

    def _chosen(self, run: Run) -> tuple[Runnable[Any, Any], Run]:
        key = run.configurable.get(self.which.id, self.default_key)
        made = option(self.alternatives, key, self.which.id)
        step = self._variant(key, lambda: _made(key, made))
        return step, self._inside(key, step, run) if self.prefix_keys else run

    def _inside(self, key: str, step: Runnable[Any, Any], run: Run) -> Run:
        """The run with the values under this alternative's prefix, by their own ids."""
        prefix = self._prefix(key)
        own = {spec.id for spec in specs_of(step) if not spec.is_shared}
        values = {name: value for name, value in run.configurable.items() if name not in own}
        for name, value in run.configurable.items():
            if name.startswith(prefix):
                values[name.removeprefix(prefix)] = value
        return run.with_configurable(values)

    def _prefix(self, key: str) -> str:
        return f"{self.which.id}=={key}/"

    def specs(self) -> Iterable[ConfigSpec]:
        keys, which = tuple(self.alternatives), self.which
        yield ConfigSpec(
            which.id, Literal[keys], self.default_key, which.name, which.description,
            which.is_shared,
        )  # fmt: skip
        for key, step in self.alternatives.items():
            for spec in specs_of(step) if isinstance(step, Runnable) else ():
                prefixed = self.prefix_keys and not spec.is_shared
                yield _renamed(spec, self._prefix(key)) if prefixed else spec

    def __repr__(self) -> str:
        return f"{self.default!r}.configurable_alternatives({', '.join(self.alternatives)})"


def _made(key: str, made: Any) -> Runnable[Any, Any]:
    step = made if isinstance(made, Runnable) else made()
    if isinstance(step, Runnable):
        return step
    raise ConfigurationError(f"alternative `{key}` made {step!r}, which is no Runnable")


def _renamed(spec: ConfigSpec, prefix: str) -> ConfigSpec:
    return ConfigSpec(prefix + spec.id, spec.annotation, spec.default, spec.name, spec.description)


def specs_of(step: Any) -> list[ConfigSpec]:
    """The configurable values that a step and the steps inside it take, each id once."""
    found: dict[str, ConfigSpec] = {}
    for spec in config_specs(step):
        found.setdefault(spec.id, spec)
    return list(found.values())


@singledispatch
def config_specs(step: Any) -> Iterable[ConfigSpec]:
    """The values a step and those inside it take; a new kind of step registers its own."""
    for part in parts_of(step):
        yield from config_specs(part)


@config_specs.register(RunnableConfigurableFields)
def _(step: RunnableConfigurableFields) -> Iterable[ConfigSpec]:
    for name, field in step.fields.items():
        yield spec_of(step.default, name, field)
    yield from config_specs(step.default)


@config_specs.register(RunnableConfigurableAlternatives)
def _(step: RunnableConfigurableAlternatives) -> Iterable[ConfigSpec]:
    return step.specs()


def spec_of(step: Any, name: str, field: AnyField) -> ConfigSpec:
    annotation: Any
    default: Any
    if isinstance(field, ConfigurableFieldSingleOption):
        annotation, default = Literal[tuple(field.options)], field.default
    elif isinstance(field, ConfigurableFieldMultiOption):
        annotation, default = list[Literal[tuple(field.options)]], list(field.default)  # type: ignore[misc]  # made at run time
    else:
        known = getattr(type(step), "model_fields", {}).get(name)
        annotation = field.annotation or (known.annotation if known else Any)
        default = getattr(step, name, None)
        if hasattr(default, "get_secret_value"):
            default = None  # a schema is shown to users
    return ConfigSpec(field.id, annotation, default, field.name, field.description, field.is_shared)


@parts_of.register(RunnableConfigurableFields)
def _(step: RunnableConfigurableFields) -> Iterable[Runnable[Any, Any]]:
    return (step.default,)


@parts_of.register(RunnableConfigurableAlternatives)
def _(step: RunnableConfigurableAlternatives) -> Iterable[Runnable[Any, Any]]:
    return [made for made in step.alternatives.values() if isinstance(made, Runnable)]


def configurable_fields(
    step: Runnable[Any, Any], fields: Mapping[str, AnyField]
) -> Runnable[Any, Any]:
    if isinstance(step, RunnableBinding):
        return step._around(configurable_fields(step.bound, fields))
    if isinstance(step, RunnableConfigurableFields):
        check_fields(step.default, fields)
        new = copy(step)
        new.fields, new._changed = {**step.fields, **fields}, Recent(VARIANTS)
        return new
    return RunnableConfigurableFields(step, fields)


def configurable_alternatives(
    step: Runnable[Any, Any],
    which: ConfigurableField,
    others: Mapping[str, Any],
    *,
    default_key: str = "default",
    prefix_keys: bool = False,
) -> Runnable[Any, Any]:
    return RunnableConfigurableAlternatives(
        which, step, others, default_key=default_key, prefix_keys=prefix_keys
    )


provide("configurable_fields", configurable_fields)
provide("configurable_alternatives", configurable_alternatives)
