"""The benchmark does its work and checks it, with what the project itself installs."""

from __future__ import annotations

import asyncio
import importlib
import inspect

import pytest

from bench import __main__ as command
from bench.kits import KITS
from bench.report import Result, cells
from bench.rows import BY_ID, ROWS, Row
from bench.site import Site
from bench.worker import find, timed

QUICK = ("chunk", "args", "claude", "claude-args", "invoke", "claude-invoke", "first")


@pytest.fixture(scope="module")
def port():
    with command.server() as port:
        yield port


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("who", ["sdk", "floor", "headrace"])
def test_a_contender_gets_each_reply_whole(port: int, who: str, name: str) -> None:
    row = BY_ID[name]
    assert timed(find(who, row, Site(port, row.wire, row.reply)), 1) > 0


def test_an_answer_of_another_length_is_an_error(port: int) -> None:
    site = Site(port, "openai", "text-100")
    with pytest.raises(ValueError, match="499 characters of `text-100`, not 500"):
        site.check(499)


@pytest.mark.parametrize("row", ROWS, ids=list(BY_ID))
def test_every_contender_of_a_row_has_its_work(row: Row) -> None:
    for who in set(row.contenders) - set(KITS):
        assert inspect.isfunction(getattr(importlib.import_module(f"bench.{who}"), row.work))


@pytest.mark.parametrize("name", ["step", "astep", "heard", "steps", "offline", "blocks"])
def test_the_works_without_a_server_check_themselves(name: str) -> None:
    once = find("headrace", BY_ID[name], Site(0, "openai", "plain"))
    asyncio.run(once()) if inspect.iscoroutinefunction(once) else once()


def test_a_target_is_compared_with_the_first_contender() -> None:
    result = Result(BY_ID["chunk"], {"sdk": [90, 100, 110], "headrace": [9, 10, 11]})
    assert result.ratio("headrace") == 0.1
    assert "met" in cells(result)
    result.figures["headrace"] = [16]
    assert "missed" in cells(result)


def test_a_row_that_nobody_measured_has_no_verdict() -> None:
    assert Result(BY_ID["chunk"], {}, {"sdk": "no module"}).verdict == ""
