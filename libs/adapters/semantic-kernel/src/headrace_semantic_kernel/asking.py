"""headrace's parameters and tools as prompt execution settings of Semantic Kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from semantic_kernel.connectors.ai.function_call_choice_configuration import (
    FunctionCallChoiceConfiguration,
)
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.function_choice_type import FunctionChoiceType
from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings
from semantic_kernel.functions import KernelFunctionMetadata, KernelParameterMetadata

from headrace.chat_models import Settings
from headrace.errors import InputError
from headrace.tools import SchemaDialect, compile_schema

# A parameter -> the fields in which clients keep it; the first that a client has.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_tokens", "max_output_tokens", "max_completion_tokens"),
    "stop": ("stop", "stop_sequences"),
    "seed": ("seed", "random_seed"),
}
_INLINED = SchemaDialect(references=False, recursion="no", hints=False)


def field_for(name: str, kind: type[PromptExecutionSettings]) -> str | None:
    """Where a client's settings keep a parameter; None where they have no place for it."""
    fields = kind.model_fields
    return next((there for there in SPELLINGS.get(name, (name,)) if there in fields), None)


def encode_settings(
    settings: Settings,
    base: PromptExecutionSettings,
    model: str | None,
    rename: Callable[[str], str],
) -> PromptExecutionSettings:
    """The settings of one request, over `base`, which stays as it is.

    What a client has no field for goes to `extension_data`. Functions are never invoked there.
    """
    found = base.model_copy(deep=True)
    asked = {k: v for k, v in settings.sent.items() if k not in ("model_kwargs", "extra_body")}
    asked.pop("model", None)
    if model is not None:
        asked["ai_model_id"] = model
    if settings.stop:
        asked["stop"] = list(settings.stop)
    for name, value in asked.items():
        there = field_for(name, type(found))
        if there is None:
            found.extension_data[name] = value
        else:
            setattr(found, there, value)
    if settings.tools:
        found.function_choice_behavior = _behavior(settings, rename)
    elif found.function_choice_behavior is not None:
        raise InputError(
            "the settings bring functions of a kernel; give them to headrace as tools, by "
            "`bind_tools`, which hands the calls back"
        )
    return found


class Shown(FunctionChoiceBehavior):
    """Shows these functions, in place of a kernel's, and lets nobody invoke them."""

    functions: list[Any] = []  # noqa: RUF012 - a field of pydantic's, copied for each instance

    def get_config(self, kernel: Any) -> FunctionCallChoiceConfiguration:
        """The functions, whatever the kernel has."""
        return FunctionCallChoiceConfiguration(available_functions=self.functions)


def _behavior(settings: Settings, rename: Callable[[str], str]) -> FunctionChoiceBehavior:
    choice, tools = settings.tool_choice, settings.tools
    kind = FunctionChoiceType.AUTO
    if choice == "none":
        kind = FunctionChoiceType.NONE
    elif choice not in (None, "auto"):
        kind = FunctionChoiceType.REQUIRED
        if choice != "any":  # there is no choice by name: no other function is shown
            names = (choice,) if isinstance(choice, str) else choice
            tools = tuple(tool for tool in tools if tool.get("name") in names)
    functions = [_function(tool, rename) for tool in tools]
    return Shown(type_=kind, maximum_auto_invoke_attempts=0, functions=functions)


def _function(tool: Mapping[str, Any], rename: Callable[[str], str]) -> KernelFunctionMetadata:
    if "parameters" not in tool:
        raise InputError(
            f"{dict(tool)!r} is a tool that a provider runs; Semantic Kernel has no place for it"
        )
    schema = tool["parameters"]
    if "$defs" in schema or "definitions" in schema:
        schema = compile_schema(schema, _INLINED).schema
    needed = schema.get("required") or ()
    parameters = [
        # Not validated: a schema may have keys that are no identifiers there.
        KernelParameterMetadata.model_construct(
            name=name,
            schema_data=given,
            is_required=name in needed,
            include_in_function_choices=True,
        )
        for name, given in (schema.get("properties") or {}).items()
    ]
    return KernelFunctionMetadata.model_construct(
        name=rename(str(tool["name"])),
        plugin_name=None,
        description=tool.get("description") or "",
        parameters=parameters,
        is_prompt=False,
    )
