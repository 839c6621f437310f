"""The benchmark does its work and checks it, with what the project itself installs."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from contextlib import closing
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from bench.chart import chart
from bench.contender import Contender
from bench.kits import KITS
from bench.measuring import measure
from bench.processes import Worker, server
from bench.report import Result, cells, failures, line
from bench.rows import BY_ID, ROWS, Row
from bench.site import Site
from bench.worker import timed
from bench.works import CONTENDERS, find

QUICK = ("chunk", "args", "claude", "claude-args", "invoke", "claude-invoke", "first")


@pytest.fixture(scope="module")
def port():
    with server() as port:
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
    local = importlib.import_module("bench.local")
    for who in row.contenders:
        module, _, name = CONTENDERS[who].partition(":")
        contender = getattr(importlib.import_module(f"bench.{module}"), name)
        assert issubclass(contender, Contender)
        assert hasattr(contender, row.work) or (who in KITS and hasattr(local, row.work))


@pytest.fixture(scope="module")
def worker(port: int):
    with closing(Worker("floor", port)) as worker:
        yield worker


def test_a_row_that_fails_leaves_the_worker_to_the_next(worker: Worker) -> None:
    failing = replace(BY_ID["chunk"], contenders=("floor",), id="no such row")
    failed = measure(failing, {"floor": worker}, rounds=1)
    assert failures([failed]) == ["floor failed at no such row: KeyError: 'no such row'"]
    row = replace(BY_ID["chunk"], contenders=("floor",), times=1)
    assert len(measure(row, {"floor": worker}, rounds=2).figures["floor"]) == 2


def test_a_worker_that_dies_fails_its_row_and_is_started_again(worker: Worker) -> None:
    worker.open("invoke")
    worker.kill()
    with pytest.raises(RuntimeError, match="died"):
        worker.ask(1)
    worker.open("invoke")
    assert worker.ask(1) > 0
    worker.done()


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


def test_the_chart_has_a_dot_for_each_contender_and_a_mark_for_the_target() -> None:
    measured = Result(BY_ID["chunk"], {"sdk": [100], "floor": [5], "headrace": [10]})
    drawn = ElementTree.fromstring(chart([measured]))
    said = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert said == ["plain HTTP: 1/20", "headrace: 0.10"]
    kinds = [node.get("class") for node in drawn.iter("{http://www.w3.org/2000/svg}line")]
    assert kinds.count("target") == 2  # in the legend and in the row


def test_the_chart_draws_ratios_beyond_its_marks() -> None:
    measured = Result(BY_ID["chunk"], {"sdk": [1000], "floor": [500_000], "headrace": [1]})
    drawn = ElementTree.fromstring(chart([measured]))
    said = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert said == ["plain HTTP: 500.00", "headrace: 1/1000"]


def test_each_line_of_the_table_is_as_wide_as_its_head() -> None:
    lines = [line(Result(row, {row.base: [1_234.5], "headrace": [1.5]})) for row in ROWS]
    assert len(set(map(len, lines))) == 1
