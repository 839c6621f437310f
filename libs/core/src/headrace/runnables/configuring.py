"""Fields that `configurable` in a config may set, and the steps built with their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigurationError, InputError, suggestion

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(frozen=True, slots=True)
class ConfigurableField:
    """A field of a step that the value under `id` sets; for schemas, what it is.

    `is_shared`: `prefix_keys` of alternatives around it leave its `id` as it is.
    """

    id: str
    name: str | None = None
    description: str | None = None
    annotation: Any = None
    is_shared: bool = False

    def value(self, given: Any) -> Any:
        return given


@dataclass(frozen=True, slots=True)
class ConfigurableFieldSingleOption:
    """A field that takes one of the values of `options`, named by its key."""

    id: str
    options: Mapping[str, Any]
    default: str
    name: str | None = None
    description: str | None = None
    is_shared: bool = False

    def __post_init__(self) -> None:
        self.value(self.default)

    def value(self, given: Any) -> Any:
        return option(self.options, given, self.id)


@dataclass(frozen=True, slots=True)
class ConfigurableFieldMultiOption:
    """A field that takes a list of the values of `options`, named by their keys."""

    id: str
    options: Mapping[str, Any]
    default: Sequence[str]
    name: str | None = None
    description: str | None = None
    is_shared: bool = False

    def __post_init__(self) -> None:
        self.value(self.default)

    def value(self, given: Any) -> Any:
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise InputError(f"configurable `{self.id}` takes a list of options, not {given!r}")
        return [option(self.options, key, self.id) for key in given]


AnyField = ConfigurableField | ConfigurableFieldSingleOption | ConfigurableFieldMultiOption


def option(options: Mapping[str, Any], key: Any, id: str) -> Any:
    """The value of an option; InputError with all of them if there is none of that name."""
    if isinstance(key, str) and key in options:
        return options[key]
    close = suggestion(key, options) if isinstance(key, str) else ""
    raise InputError(
        f"configurable `{id}` has no option {key!r}{close}; there are "
        + ", ".join(f"`{name}`" for name in options)
    )


@dataclass(frozen=True, slots=True)
class ConfigSpec:
    """What a schema says of one value of `configurable`."""

    id: str
    annotation: Any
    default: Any
    name: str | None = None
    description: str | None = None
    is_shared: bool = False


def check_fields(step: Any, fields: Mapping[str, Any]) -> None:
    """Raises ConfigurationError for a field that the step does not have, or no field at all."""
    model_fields: Mapping[str, Any] | None = getattr(type(step), "model_fields", None)
    for name, field in fields.items():
        if not isinstance(field, AnyField):
            raise ConfigurationError(
                f"`configurable_fields({name}=…)` takes a ConfigurableField, not {field!r}"
            )
        known = model_fields if model_fields is not None else _attributes(step)
        if name not in known:
            raise ConfigurationError(
                f"`{type(step).__name__}` has no field `{name}`{suggestion(name, known)}; "
                f"there are {', '.join(f'`{field}`' for field in known)}"
            )


def _attributes(step: Any) -> list[str]:
    names = [slot for cls in type(step).__mro__ for slot in getattr(cls, "__slots__", ())]
    return [name for name in (*names, *getattr(step, "__dict__", ())) if not name.startswith("_")]


def field_values(fields: Mapping[str, AnyField], configurable: Mapping[str, Any]) -> dict[str, Any]:
    """The values to set, by the names of fields: those given, and the defaults of options."""
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if field.id in configurable:
            values[name] = field.value(configurable[field.id])
        elif not isinstance(field, ConfigurableField):
            values[name] = field.value(field.default)
    return values


def rebuilt(step: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a step with other values; of a pydantic model, validated as at construction."""
    cls = type(step)
    if hasattr(cls, "model_fields"):
        given = {name: getattr(step, name) for name in step.model_fields_set}
        try:
            checked = cls.model_validate({**given, **values}, by_name=True)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"`{cls.__name__}` cannot be configured: {_told(error)}") from None
        return step.model_copy(update={name: getattr(checked, name) for name in values})
    new = copy(step)
    for name, value in values.items():
        setattr(new, name, value)
    return new


def _told(error: ValueError) -> str:
    """What a pydantic ValidationError says, without the values, which may be secret."""
    errors: Callable[..., list[dict[str, Any]]] | None = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    told = errors(include_input=False, include_url=False)
    return "; ".join(f"`{'.'.join(map(str, item['loc']))}`: {item['msg']}" for item in told)


def frozen_key(value: Any) -> Hashable | None:
    """A key equal for equal values of equal types; None where there is none."""
    try:
        key: Hashable = _frozen(value)
        hash(key)
    except TypeError:
        return None
    return key


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return type(value), tuple((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(_frozen(item) for item in value)
    return type(value), value
