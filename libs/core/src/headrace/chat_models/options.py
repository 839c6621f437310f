"""The parameters of a model class by name and alias, checked before pydantic sees them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, TypeAdapter, ValidationError

from headrace.chat_models.timeouts import Timeout
from headrace.errors import InputError, suggestion

if TYPE_CHECKING:
    from pydantic import BaseModel


@cache  # classes, not instances: there are few and they stay
def aliases_of(cls: type[BaseModel]) -> Mapping[str, str]:
    """Every name under which a field may be given, to the field's own name."""
    names: dict[str, str] = {}
    for field, info in cls.model_fields.items():
        names[field] = field
        for alias in (info.alias, info.validation_alias):
            if isinstance(alias, AliasChoices):
                names.update({str(choice): field for choice in alias.choices})
            elif isinstance(alias, str):
                names[alias] = field
    return names


def check_names(cls: type[BaseModel], given: Mapping[str, Any]) -> None:
    """Raises InputError for a parameter the class does not have, with the nearest one."""
    known = aliases_of(cls)
    for name in given:
        if name not in known:
            raise InputError(
                f"`{cls.__name__}` has no parameter `{name}`{suggestion(name, known)}; "
                "pass what it does not know through `model_kwargs` or `extra_body`"
            )


def read_option(cls: type[BaseModel], name: str, value: Any) -> tuple[str, Any]:
    """(field, value) of an option of a call, validated as the field is."""
    check_names(cls, {name: value})
    field = aliases_of(cls)[name]
    if value is None:
        return field, None
    if field == "timeout":
        return field, Timeout.read(value)
    try:
        return field, _adapter(cls, field).validate_python(value)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise InputError(f"`{name}` of a call of `{cls.__name__}`: {told}") from None


@cache
def _adapter(cls: type[BaseModel], field: str) -> TypeAdapter[Any]:
    info = cls.model_fields[field]
    bounds: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(bounds)
