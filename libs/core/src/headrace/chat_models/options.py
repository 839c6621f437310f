"""The parameters of a model class by name and alias, checked before pydantic sees them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from headrace.chat_models.kinds import of_kind
from headrace.chat_models.timeouts import Timeout
from headrace.errors import InputError, suggestion

if TYPE_CHECKING:
    from pydantic import BaseModel

    from headrace.chat_models.base import BaseChatModel


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


def with_neutral_effort(cls: type[BaseChatModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the provider's own spellings of the effort as `reasoning_effort`.

    Raises InputError where both are given.
    """
    own = {name: given[name] for name in cls.effort_spellings if given.get(name) is not None}
    rest = {name: given[name] for name in given if name not in cls.effort_spellings}
    if not own:
        return rest
    if rest.get("reasoning_effort") is not None:
        told = ", ".join(f"`{name}`" for name in sorted(own))
        raise InputError(f"`reasoning_effort` and {told} say the same; give one of them")
    meant = cls._read_effort(own)
    return {**rest, **(meant if isinstance(meant, Mapping) else {"reasoning_effort": meant})}


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
        return field, _adapter(cls, field).validate_python(of_kind(cls, field, value))
    except (ValidationError, PydanticCustomError) as error:
        told = error.message() if isinstance(error, PydanticCustomError) else first_fault(error)
        raise InputError(f"`{name}` of a call of `{cls.__name__}`: {told}") from None


def first_fault(error: ValidationError) -> str:
    """The first thing wrong, without the value."""
    return str(error.errors(include_input=False, include_url=False)[0]["msg"])


@cache
def _adapter(cls: type[BaseModel], field: str) -> TypeAdapter[Any]:
    info = cls.model_fields[field]
    bounds: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(bounds)
