"""Token usage: a typed record and its arithmetic."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, cast

from typing_extensions import TypedDict

UsageKind: TypeAlias = Literal["delta", "snapshot"]


class InputTokenDetails(TypedDict, total=False):
    """Parts of the input tokens."""

    audio: int
    cache_creation: int
    cache_read: int


class OutputTokenDetails(TypedDict, total=False):
    """Parts of the output tokens."""

    audio: int
    reasoning: int


class UsageMetadata(TypedDict, total=False):
    """Tokens of one answer; details are parts of the sums, not additions to them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: InputTokenDetails
    output_token_details: OutputTokenDetails


def add_usage(left: UsageMetadata | None, right: UsageMetadata | None) -> UsageMetadata:
    """The sum field by field, details included; absent and None count as nothing."""
    return cast("UsageMetadata", _combine(left or {}, right or {}, 1))


def subtract_usage(left: UsageMetadata | None, right: UsageMetadata | None) -> UsageMetadata:
    """`left` less `right` field by field, never below zero."""
    return cast("UsageMetadata", _combine(left or {}, right or {}, -1))


def fields_of(usage: dict[str, Any], prefix: str = "") -> frozenset[str]:
    """Paths of the figures in `usage`, such as `input_token_details/cache_read`."""
    paths: set[str] = set()
    for key, value in usage.items():
        if isinstance(value, dict):
            paths |= fields_of(value, f"{prefix}{key}/")
        elif value is not None:
            paths.add(prefix + key)
    return frozenset(paths)


def replace_usage(
    left: dict[str, Any], right: dict[str, Any], fields: frozenset[str], prefix: str = ""
) -> dict[str, Any]:
    """`left` with the `fields` of `right` in place of its own and the others added."""
    result = dict(left)
    for key, value in right.items():
        old = result.get(key)
        if value is None:
            continue
        if isinstance(value, dict):
            inner = old if isinstance(old, dict) else {}
            result[key] = replace_usage(inner, value, fields, f"{prefix}{key}/")
        elif prefix + key in fields:
            result[key] = value
        else:
            result[key] = _add(old, value, 1)
    return result


def _combine(left: Any, right: Any, sign: int) -> dict[str, Any]:
    result = {
        key: _combine({}, value, 1) if isinstance(value, dict) else value
        for key, value in left.items()
        if value is not None
    }
    for key, value in right.items():
        old = result.get(key)
        if value is None:
            continue
        if isinstance(value, dict):
            result[key] = _combine(old if isinstance(old, dict) else {}, value, sign)
        else:
            result[key] = _add(old, value, sign)
    return result


def _add(old: Any, value: Any, sign: int) -> Any:
    if not _is_figure(value):
        return value
    base = old if _is_figure(old) else 0
    return base + value if sign > 0 else max(base - value, 0)


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
