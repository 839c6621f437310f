"""The `headrace` command. Exit codes: 0, 1 (failed, or not as it should be), 2 (usage)."""

from __future__ import annotations

from headrace.cli.main import main

__all__ = ["main"]
