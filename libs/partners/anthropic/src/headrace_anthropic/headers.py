"""What a request says in headers: the API version that it needs, and betas.

The SDK asks for version 2026-10-21, which has no sampling parameters; a request that has some,
to a model that takes them, asks for the version before it. Bedrock serves the new version to
Claude 4.7 and later alone, and the old one to all.
Sources: https://platform.claude.com/docs/en/api/migration-2026-10-21, …/api/versioning,
…/api/beta-headers (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Platform = Literal["api", "bedrock", "vertex"]

SAMPLING = frozenset({"temperature", "top_p", "top_k"})
VERSION_WITH_SAMPLING = "2023-06-01"
# As the clouds call it; they take it in the body.
_CLOUD_VERSIONS: Mapping[Platform, str] = {
    "bedrock": "bedrock-2023-05-31",
    "vertex": "vertex-2023-10-16",
}

# Tools that still need a beta, by the beginning of their type.
_TOOLS = {
    "computer_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "code_execution_20250522": "code-execution-2025-05-22",
    "advisor_": "advisor-tool-2026-03-01",
    "mcp_toolset": "mcp-client-2025-11-20",
}
_EDITS = {"compact_": "compact-2026-01-12"}


def split_request(
    body: Mapping[str, Any], platform: Platform = "api"
) -> tuple[dict[str, Any], dict[str, str]]:
    """(what goes into the body, what goes into headers) of an encoded request."""
    wire = {key: value for key, value in body.items() if key != "betas"}
    headers = {}
    if SAMPLING & wire.keys() or platform == "bedrock":
        if platform == "api":
            headers["anthropic-version"] = VERSION_WITH_SAMPLING
        else:
            wire.setdefault("anthropic_version", _CLOUD_VERSIONS[platform])
    betas = [*(body.get("betas") or ()), *_needed(wire)]
    if betas:
        headers["anthropic-beta"] = ",".join(dict.fromkeys(betas))
    return wire, headers


def _needed(wire: Mapping[str, Any]) -> Iterable[str]:
    """The betas without which the request would be refused, as far as it shows."""
    for tool in wire.get("tools") or ():
        yield from _matching(_TOOLS, tool.get("type"))
    if wire.get("mcp_servers"):
        legacy = any("tool_configuration" in server for server in wire["mcp_servers"])
        yield "mcp-client-2025-04-04" if legacy else "mcp-client-2025-11-20"
    if management := wire.get("context_management"):
        yield "context-management-2025-06-27"
        for edit in management.get("edits") or ():
            yield from _matching(_EDITS, edit.get("type"))
    if wire.get("speed") == "fast":
        yield "fast-mode-2026-02-01"
    if (wire.get("output_config") or {}).get("task_budget"):
        yield "task-budgets-2026-03-13"


def _matching(table: Mapping[str, str], kind: Any) -> Iterable[str]:
    return (beta for start, beta in table.items() if str(kind or "").startswith(start))
