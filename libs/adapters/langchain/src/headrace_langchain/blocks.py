"""What the blocks of both sides have in common, and the little in which they differ.

Both use the standard blocks of langchain-core 1.x, which marks a message whose content is a list
of them by `response_metadata["output_version"] = "v1"`.
Source: langchain_core/messages/content.py of langchain-core 1.8.3 (read 2026-11)
"""

from __future__ import annotations

from typing import Any

Block = dict[str, Any]

VERSION = "output_version"
CALLS = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call"})
# Where extras of calls ride beside a content that is a text: langchain-core keeps none on calls.
CALL_EXTRAS = "headrace_tool_call_extras"
# Prefixes of ids and indices that langchain-core makes up; providers must not see them.
_MADE_UP = ("lc_", "lc_run-", "run-")


def own_id(id: Any) -> str | None:
    """An id that a provider gave, None for one that langchain-core made up."""
    return id if isinstance(id, str) and id and not id.startswith(_MADE_UP) else None


def without_marks(block: Any, *, chunk: bool = False) -> Any:
    """A copy of a block without what langchain-core made up; of a chunk the index stays."""
    if not isinstance(block, dict):
        return block
    found = dict(block)
    if "id" in found and found.get("type") not in CALLS and own_id(found["id"]) is None:
        del found["id"]
    if not chunk:
        found.pop("index", None)
    return found
