"""The arguments of a tool: their JSON Schema, and the check of what a model sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Protocol, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from headrace.errors import InputError, ToolError, suggestion
from headrace.tools.conforming import Mender, faults, with_defaults
from headrace.tools.injection import InjectedToolArg, mark_among
from headrace.tools.nulls import without_nulls
from headrace.tools.portable import portable
from headrace.tools.schema import hide, schema_of
from headrace.tools.signature import OMITTED, REQUIRED, Parameter

_CONFIG = ConfigDict(
    arbitrary_types_allowed=True, coerce_numbers_to_str=True, protected_namespaces=()
)


class ToolArgumentError(ToolError, InputError):
    """The arguments of a call do not fit the tool; the message is fit for the model."""


# What the model may not send: the mark of each name; None for what the run itself gives.
Hidden: TypeAlias = dict[str, type[InjectedToolArg] | None]


class Arguments(Protocol):
    """`parameters`: the JSON Schema the model sees. `hidden`: names that it may not send.

    `fields`: the names of the values that `check` gives, as far as they are known;
    `defaulted`: those among the hidden ones that it can do without.
    """

    parameters: dict[str, Any]
    hidden: Hidden
    fields: tuple[str, ...]
    defaulted: frozenset[str]

    def check(self, args: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The values to call the function with; `given` are those of the caller.

        Raises ToolArgumentError for a wrong, missing or unknown argument in `args`.
        """


class ModelArguments:
    """Arguments that a pydantic model describes; `names`: field -> parameter, if they differ."""

    def __init__(self, model: type[BaseModel], names: Mapping[str, str], hidden: Hidden) -> None:
        self.model, self._names = model, names
        self.open = model.model_config.get("extra") == "allow"
        known = model.model_fields
        self.fields = tuple(names.get(name, name) for name in known)
        marks = {name: mark for name in known if (mark := mark_among(known[name].metadata))}
        self.hidden: Hidden = {**hidden, **marks}
        self.defaulted = frozenset(name for name in marks if not known[name].is_required())
        self._marked = marked = {name: known[name].alias or name for name in marks}
        keys = {key: name for name in known for key in _keys(name, known[name], model)}
        self._visible = [key for key, name in keys.items() if name not in marked]
        self._refused = {*self.hidden, *keys}.difference(self._visible)
        self.parameters = hide(schema_of(model), {*self.hidden, *marked.values()})

    def check(self, args: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unknown(args, self._visible, self._refused if self.open else None)
        args = without_nulls(args, self.parameters)
        mine = {key: given[name] for name, key in self._marked.items() if name in given}
        found = self._validated(args, mine)
        values = {self._names.get(f, f): getattr(found, f) for f in self.model.model_fields}
        values.update(found.model_extra or {})
        return {name: value for name, value in values.items() if value is not OMITTED}

    def _validated(self, args: Mapping[str, Any], mine: Mapping[str, Any]) -> BaseModel:
        try:
            return self.model.model_validate({**args, **mine})
        except ValidationError as error:
            filled = args
            if any(item["type"] == "missing" for item in error.errors(include_url=False)):
                filled = with_defaults(args, self.parameters, self.parameters)
            if filled == args:
                raise ToolArgumentError(_explain(error)) from error
        return self._validated(filled, mine)


class SchemaArguments:
    """Arguments that a JSON Schema describes; formats and patterns are not looked at."""

    defaulted: frozenset[str] = frozenset()

    def __init__(self, schema: Mapping[str, Any], hidden: Hidden) -> None:
        self.hidden = hidden
        self.parameters = hide(schema, self.hidden)
        self.fields = tuple(self.parameters["properties"])
        self.open = bool(schema.get("additionalProperties"))

    def check(self, args: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unknown(args, self.fields, self.hidden if self.open else None)
        schema = self.parameters
        found: dict[str, Any] = Mender(schema).value(without_nulls(dict(args), schema), schema)
        wrong = faults(found, schema, schema, whole="the arguments")
        if wrong:
            raise ToolArgumentError("; ".join(wrong))
        return found


def model_of(
    name: str,
    parameters: Iterable[Parameter],
    documented: Mapping[str, str],
    *,
    hidden: Hidden,
    open: bool = False,
) -> ModelArguments:
    """The arguments that these parameters make; `documented`: their descriptions, if none.

    Raises InputError for a type of which there is no JSON Schema.
    """
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for item in parameters:
        safe = not item.name.startswith("_") and not hasattr(BaseModel, item.name)
        attribute = item.name if safe else f"{item.name.strip('_')}_argument"
        names[attribute] = item.name
        annotation = portable(described(item.annotation, documented.get(item.name)))
        if not safe:
            annotation = Annotated[annotation, Field(alias=item.name)]
        fields[attribute] = (annotation, _default(item))
    config = ConfigDict(**_CONFIG, extra="allow") if open else _CONFIG
    try:
        model: type[BaseModel] = create_model(name, __config__=config, **fields)
        return ModelArguments(model, names, hidden)
    except PydanticUserError as error:
        raise InputError(
            f"the parameters of `{name}` cannot be told to a model: {error.message}; give a "
            "type that JSON has, or hide the parameter: Annotated[T, InjectedToolArg]"
        ) from error


def described(annotation: Any, documented: str | None) -> Any:
    """An annotation with its description: its own Field or str, else the documented one."""
    base, *rest = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    said = next((item for item in rest if isinstance(item, str)), documented)
    kept = [item for item in rest if not isinstance(item, str)]
    if said and not any(isinstance(item, FieldInfo) and item.description for item in kept):
        kept.append(Field(description=said))
    return Annotated[base, *kept] if kept else base


def refuse_unknown(
    args: Mapping[str, Any], known: Collection[str], refused: Collection[str] | None
) -> None:
    """Raises ToolArgumentError for an argument that is not known, or is among the refused."""
    unknown = [n for n in args if (n not in known if refused is None else n in refused)]
    if unknown:
        takes = ", ".join(f"`{name}`" for name in known) or "no arguments"
        said = ", ".join(f"`{name}`{suggestion(str(name), known)}" for name in unknown)
        raise ToolArgumentError(f"there is no argument {said}; the tool takes {takes}")


def _default(item: Parameter) -> Any:
    if item.factory is not None:
        return Field(default_factory=item.factory)
    return ... if item.default is REQUIRED else item.default


def _keys(name: str, item: FieldInfo, model: type[BaseModel]) -> list[str]:
    """Under which keys a field may come."""
    alias = item.validation_alias or item.alias
    if alias is None:
        return [name]
    config = model.model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    choices = getattr(alias, "choices", [alias])
    keys = [str(getattr(choice, "path", [choice])[0]) for choice in choices]
    return [*keys, name] if by_name else keys


def _explain(error: ValidationError) -> str:
    """What is wrong, argument by argument, without pydantic's links."""
    said = []
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "the arguments"
        if item["type"] == "missing":
            said.append(f"`{where}` is missing")
        else:
            found = repr(item["input"])
            shown = found if len(found) <= 80 else f"{found[:77]}..."
            said.append(f"`{where}`: {item['msg']}, found {shown}")
    return "; ".join(said)
