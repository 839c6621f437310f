"""Pydantic models and JSON Schemas of what a pipeline takes, gives, and may be configured with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError

from headrace.deferred import root_model
from headrace.runnables.configurable import specs_of
from headrace.runnables.inference import Keys, input_type, keys_of, output_type

if TYPE_CHECKING:
    from headrace.runnables.configuring import ConfigSpec

_CONFIG = ConfigDict(protected_namespaces=(), populate_by_name=True)
_SIMPLE = (str, int, float, bool, list, tuple, dict, type(None))


def input_schema(step: Any) -> type[BaseModel]:
    """A model of the input: with a field for each key of a dict, else of a root value."""
    return _model(input_type(step), step.get_name("input"))


def output_schema(step: Any) -> type[BaseModel]:
    """A model of the output, as `input_schema`."""
    return _model(output_type(step), step.get_name("output"))


def input_jsonschema(step: Any) -> dict[str, Any]:
    return input_schema(step).model_json_schema()


def output_jsonschema(step: Any) -> dict[str, Any]:
    return output_schema(step).model_json_schema(mode="serialization")


def config_schema(step: Any) -> type[BaseModel]:
    """A model of the values that `configurable` in a config may hold."""
    fields = {spec.id: _config_field(spec) for spec in specs_of(step)}
    return _create(step.get_name("config"), fields)


def config_jsonschema(step: Any) -> dict[str, Any]:
    return config_schema(step).model_json_schema()


def _model(kind: Any, name: str) -> type[BaseModel]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    keys = keys_of(kind)
    if keys is not None:
        return _create(name, _fields(keys))
    root: Any = root_model.RootModel
    return create_model(name, __base__=root[_shown(kind)])


def _fields(keys: Keys) -> dict[str, tuple[Any, dict[str, Any]]]:
    return {
        key: (_shown(kind), {}) if required else (_shown(kind) | None, {"default": None})
        for key, (kind, required) in keys.items()
    }


def _config_field(spec: ConfigSpec) -> tuple[Any, dict[str, Any]]:
    default = spec.default if isinstance(spec.default, _SIMPLE) else None
    about = {"default": default, "title": spec.name, "description": spec.description}
    return _shown(spec.annotation), about


def _create(name: str, fields: dict[str, tuple[Any, dict[str, Any]]]) -> type[BaseModel]:
    """A model with these fields; one whose name a model cannot have is reached by its alias."""
    named: dict[str, Any] = {}
    for number, (key, (kind, about)) in enumerate(fields.items()):
        if key.startswith("_") or not key.isidentifier() or hasattr(BaseModel, key):
            named[f"field_{number}"] = (kind, Field(alias=key, **about))
        else:
            named[key] = (kind, Field(**about))
    return create_model(name, __config__=_CONFIG, **named)


def _shown(kind: Any) -> Any:
    """A type as it is if it has a JSON Schema, else Any."""
    try:
        TypeAdapter(kind).json_schema()
    except (PydanticUserError, NameError):
        return Any
    return kind
