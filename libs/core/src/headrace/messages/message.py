"""BaseMessage: what all kinds of message share.

Messages are light values: slotted, made without validation beyond cheap type checks, and free
to be changed by their owner. Lists and dicts given to a constructor are copied one level deep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast

from headrace.deferred import pydantic_core
from headrace.errors import InputError
from headrace.messages import schema
from headrace.messages.blocks import ContentBlock
from headrace.messages.canonical import canonical_block
from headrace.messages.pretty import pretty_message

Content: TypeAlias = str | list[str | dict[str, Any]]
ContentInput: TypeAlias = str | Sequence[str | Mapping[str, object]] | None
BlocksInput: TypeAlias = Sequence[Mapping[str, object]] | None


class BaseMessage:
    """A message of a conversation; make one of its kinds, such as HumanMessage.

    `content` is a str, or a list of str and blocks as given. `id` is the provider's.
    `additional_kwargs` and `response_metadata` are free-form.
    """

    __slots__ = ("additional_kwargs", "content", "id", "name", "response_metadata")
    __hash__ = None  # type: ignore[assignment]  # mutable values compare by value

    type: ClassVar[str] = ""
    _fields: ClassVar[tuple[str, ...]] = (
        "content", "name", "id", "additional_kwargs", "response_metadata",
    )  # fmt: skip

    content: Content
    name: str | None
    id: str | None
    additional_kwargs: dict[str, Any]
    response_metadata: dict[str, Any]

    def __init__(
        self,
        content: ContentInput = None,
        *,
        content_blocks: BlocksInput = None,
        name: str | None = None,
        id: str | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        response_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if content.__class__ is str and content_blocks is None:
            self.content = content
        else:
            self.content = read_content(content, content_blocks, self.__class__.__name__)
        self.name = name
        self.id = id if id is None or id.__class__ is str else str(id)
        self.additional_kwargs = {} if additional_kwargs is None else dict(additional_kwargs)
        self.response_metadata = {} if response_metadata is None else dict(response_metadata)

    @property
    def text(self) -> str:
        """The text of the message; other blocks do not show."""
        content = self.content
        if isinstance(content, str):
            return content
        said = [
            block if isinstance(block, str) else block.get("text")
            for block in content
            if isinstance(block, str) or block.get("type", "text") == "text"
        ]
        return "".join(text for text in said if isinstance(text, str))

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as canonical typed blocks, made anew at each read."""
        return [canonical_block(block) for block in self._parts()]

    def _parts(self) -> list[str | dict[str, Any]]:
        content = self.content
        if isinstance(content, str):
            return [content] if content else []
        return content

    def model_dump(
        self, *, mode: Literal["python", "json"] = "python", exclude_none: bool = False
    ) -> dict[str, Any]:
        """The message as a dict with its `type`; containers are copies."""
        data: dict[str, Any] = {"type": self.type}
        for field in self._fields:
            value = getattr(self, field)
            if not (exclude_none and value is None):
                data[field] = _copied(value)
        if mode == "json":
            if "artifact" in data:  # any object at all, and never sent: shown as best it can
                data["artifact"] = pydantic_core.to_jsonable_python(
                    data["artifact"], serialize_unknown=True
                )
            data = pydantic_core.to_jsonable_python(data, bytes_mode="base64")
        return data

    def model_dump_json(self, *, exclude_none: bool = False, indent: int | None = None) -> str:
        """The message as JSON text that `model_validate_json` reads back."""
        data = self.model_dump(mode="json", exclude_none=exclude_none)
        return pydantic_core.to_json(data, indent=indent).decode()

    @classmethod
    def model_validate(cls, data: Any) -> Self:
        """The message that `data`, a dict or a message, describes; InputError if it cannot be."""
        return cast("Self", schema.validate(cls, data))

    @classmethod
    def model_validate_json(cls, data: str | bytes) -> Self:
        """The message in a JSON text."""
        return cls.model_validate(pydantic_core.from_json(data))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with fields replaced; containers are shared with this one unless `deep`."""
        values = {field: getattr(self, field) for field in self._fields}
        if deep:
            values = {field: _copied(value) for field, value in values.items()}
        for field in update or ():
            if field not in values:
                raise InputError(f"{self.__class__.__name__} has no field `{field}`")
        values.update(update or {})
        return self.__class__(**values)

    def pretty_repr(self) -> str:
        """The message for a terminal: a title line, then its parts."""
        return pretty_message(self)

    def pretty_print(self) -> None:
        """Print `pretty_repr()`."""
        print(self.pretty_repr())  # noqa: T201 - printing is what it is for

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, f) == getattr(other, f) for f in self._fields)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({', '.join(self._repr_parts())})"

    def _repr_parts(self) -> list[str]:
        values = [(field, getattr(self, field)) for field in self._fields[1:]]
        shown = [f"{f}={v!r}" for f, v in values if v is not None and v != {} and v != []]
        return [repr(self.content), *shown]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return schema.core_schema_of(cls)


def read_content(content: Any, content_blocks: Any, owner: str) -> Content:
    """The content as stored: a str, or a new list of str and dicts; None is an empty str."""
    if content_blocks is not None:
        if content is not None and content != "":
            raise InputError(f"{owner} takes `content` or `content_blocks`, not both")
        content = content_blocks
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        hint = "; put the block in a list" if isinstance(content, Mapping) else ""
        raise InputError(
            f"the content of {owner} must be a str or a list of str and blocks, "
            f"not {content.__class__.__name__}{hint}"
        )
    for position, part in enumerate(content):
        if part.__class__ is not str and part.__class__ is not dict:
            raise InputError(
                f"part {position} of the content of {owner} must be a str or a dict, "
                f"not {part.__class__.__name__}; `image(...)` and `file(...)` make blocks"
            )
        if part.__class__ is dict and not isinstance(part.get("type", ""), str):
            raise InputError(
                f"the `type` of part {position} of the content of {owner} must be a str, "
                f"not {part['type']!r}"
            )
    return list(content)


def _copied(value: Any) -> Any:
    """Dicts and lists copied all the way down, everything else as it is."""
    if value.__class__ is dict:
        return {key: _copied(item) for key, item in value.items()}
    if value.__class__ is list:
        return [_copied(item) for item in value]
    return value
