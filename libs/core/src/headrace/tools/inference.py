"""The arguments of a tool from its function, its docstring and the schema given for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from typing_extensions import is_typeddict

from headrace.errors import InputError
from headrace.tools.arguments import Hidden, ModelArguments, SchemaArguments, model_of
from headrace.tools.docstring import read_docstring
from headrace.tools.signature import read_fields

if TYPE_CHECKING:
    from headrace.tools.arguments import Arguments
    from headrace.tools.docstring import Docstring
    from headrace.tools.signature import Signature


def arguments_of(
    name: str, signature: Signature, schema: Any, doc: Docstring, parse: bool | None
) -> Arguments:
    """The arguments of a tool: those of its `schema`, or of its function if that is None.

    `parse`: whether the docstring describes arguments; True makes one that does not an error.
    """
    known = signature.parameters
    hidden: Hidden = {item.name: item.mark for item in known.values() if item.mark}
    asked: Hidden = dict.fromkeys(signature.asks)
    if schema is not None:
        found = arguments_in(name, schema, hidden)
        asked = {ask: None for ask in asked if ask not in found.fields}
        return arguments_in(name, schema, {**asked, **hidden}) if asked else found
    hidden = {**asked, **hidden}
    fits = documents(doc, signature)
    if parse and not fits:
        odd = [f"`{n}`" for n in doc.arguments if n not in known] or ["arguments unreadably"]
        raise InputError(f"the docstring of tool `{name}` describes {', '.join(odd)}")
    documented = doc.arguments if fits and parse is not False else {}
    shown = [item for item in known.values() if item.name not in hidden]
    return model_of(name, shown, documented, hidden=hidden, open=signature.open)


def arguments_in(name: str, schema: Any, hidden: Hidden) -> Arguments:
    """The arguments that a pydantic model, TypedDict, dataclass or JSON Schema describes."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return ModelArguments(schema, {}, hidden)
    if is_fields(schema):
        documented = read_docstring(schema.__doc__).arguments
        fields = read_fields(schema).parameters.values()
        marked: Hidden = {item.name: item.mark for item in fields if item.mark}
        return model_of(name, fields, documented, hidden={**hidden, **marked})
    if isinstance(schema, Mapping) and (schema.get("type") == "object" or "properties" in schema):
        return SchemaArguments(schema, hidden)
    raise InputError(
        f"the schema of tool `{name}` must be a pydantic model, a TypedDict, a dataclass or a "
        f"JSON Schema of an object, not {schema!r}"
    )


def is_fields(thing: Any) -> bool:
    """Whether it is a TypedDict or a dataclass."""
    return isinstance(thing, type) and (is_typeddict(thing) or is_dataclass(thing))


def documents(doc: Docstring, signature: Signature) -> bool:
    """Whether every argument that the docstring describes is one of the signature's."""
    names = signature.parameters
    return doc.clear and (signature.open or all(name in names for name in doc.arguments))
