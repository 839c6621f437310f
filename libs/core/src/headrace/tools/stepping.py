"""Any step as a tool: what `Runnable.as_tool` makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Unpack, get_args

from pydantic import BaseModel

from headrace.engine.hooks import provide
from headrace.engine.user import Seam
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.inference import input_type, keys_of
from headrace.tools.arguments import model_of
from headrace.tools.signature import Parameter, doc_of
from headrace.tools.tool import Tool, ToolOptions

_WHOLE = "input"  # the one argument of a step that does not take a dict


class StepTool(Tool):
    """A tool that runs a step: its arguments are the step's input."""

    def __init__(
        self, step: Runnable[Any, Any], *, kind: Any = None, whole: bool, **options: Any
    ) -> None:
        self.step, self._kind, self._whole = step, kind, whole
        super().__init__(**options)

    async def _arun(self, **values: Any) -> Any:
        raise NotImplementedError  # `_call` runs the step in the tool's own run

    async def _call(self, values: dict[str, Any], seam: Seam) -> Any:
        if self._whole:
            return await seam.run.invoke(self.step, values[_WHOLE])
        return await seam.run.invoke(
            self.step, values if self._kind is None else self._kind(**values)
        )


def as_tool(
    step: Runnable[Any, Any],
    *,
    arg_types: Mapping[str, Any] | None = None,
    **options: Unpack[ToolOptions],
) -> Tool:
    """A step as a Tool whose arguments are the keys of the step's input, or `input`.

    They come from `args_schema`, else `arg_types` ({name: type}), else from what the step is
    annotated to take. Raises InputError where nothing describes the tool.
    """
    name = options.get("name") or re.sub(r"[^a-zA-Z0-9_-]+", "_", step.get_name()).strip("_")
    said = options.get("description") or _described(step)
    if not said:
        raise InputError(f"`{name}` as a tool has no description; give `description`")
    schema, kind, whole = _schema(name, step, options.get("args_schema"), arg_types)
    given: dict[str, Any] = {**options, "name": name, "description": said, "args_schema": schema}
    return StepTool(step, kind=kind, whole=whole, **given)


def _schema(name: str, step: Any, schema: Any, arg_types: Any) -> tuple[Any, Any, bool]:
    """(schema of the arguments, class to make of them if any, whether they are one value)."""
    if schema is not None:
        return schema, None, False
    if arg_types is not None:
        return _model(name, arg_types), None, False
    found = input_type(step)
    if isinstance(found, type) and (issubclass(found, BaseModel) or is_dataclass(found)):
        return found, found, False
    keys = keys_of(found)
    if keys is None and found in (dict, Mapping):
        raise InputError(f"the keys that `{name}` takes are not known; give `arg_types`")
    if keys is None:
        said = str if str in get_args(found) else found  # of what a model takes, words
        return _model(name, {_WHOLE: said}), None, True
    return found, None, False


def _model(name: str, kinds: Mapping[str, Any]) -> type[BaseModel]:
    return model_of(
        name, [Parameter(key, kind) for key, kind in kinds.items()], {}, hidden={}
    ).model


def _described(step: Any) -> str | None:
    function = getattr(step, "func", None) or getattr(step, "afunc", None)
    doc = doc_of(function) if function is not None else None
    return (doc or "").strip() or None


provide("as_tool", as_tool)
