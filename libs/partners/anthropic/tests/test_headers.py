"""What a request asks for in headers, as far as its body shows it."""

from __future__ import annotations

from typing import Any

import pytest

from headrace_anthropic.headers import split_request

BETAS: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{"type": "computer_20251124", "name": "computer"}]}, "computer-use-2025-11-24"),
    ({"tools": [{"type": "computer_20250124", "name": "computer"}]}, "computer-use-2025-01-24"),
    ({"tools": [{"type": "code_execution_20250522"}]}, "code-execution-2025-05-22"),
    ({"tools": [{"type": "advisor_20260301"}]}, "advisor-tool-2026-03-01"),
    ({"mcp_servers": [{"name": "s"}]}, "mcp-client-2025-11-20"),
    ({"mcp_servers": [{"name": "s", "tool_configuration": {}}]}, "mcp-client-2025-04-04"),
    ({"speed": "fast"}, "fast-mode-2026-02-01"),
    ({"output_config": {"task_budget": {"total": 1}}}, "task-budgets-2026-03-13"),
    ({"context_management": {"edits": []}}, "context-management-2025-06-27"),
    (
        {"context_management": {"edits": [{"type": "compact_20260112"}]}},
        "context-management-2025-06-27,compact-2026-01-12",
    ),
]


@pytest.mark.parametrize(("body", "betas"), BETAS, ids=lambda value: str(value)[:40])
def test_a_beta_that_a_request_shows_is_asked_for(body: dict[str, Any], betas: str) -> None:
    wire, headers = split_request(body)
    assert wire == body
    assert headers["anthropic-beta"] == betas


@pytest.mark.parametrize(
    "kind",
    ["web_search_20260318", "web_fetch_20260318", "code_execution_20260521", "memory_20250818",
     "bash_20250124", "text_editor_20250728", "tool_search_tool_bm25_20251119"],
)  # fmt: skip
def test_tools_that_are_no_beta_ask_for_none(kind: str) -> None:
    assert split_request({"tools": [{"type": kind, "name": "x"}]})[1] == {}


def test_the_callers_betas_come_first_and_each_once() -> None:
    body = {"betas": ["mine-1", "fast-mode-2026-02-01"], "speed": "fast"}
    assert split_request(body) == (
        {"speed": "fast"},
        {"anthropic-beta": "mine-1,fast-mode-2026-02-01"},
    )
