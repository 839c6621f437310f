"""The rows of the table: what is measured, against what, and the target of the ratio."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Any

ONLINE = ("sdk", "floor", "langchain", "pydantic-ai", "litellm", "headrace")
LIBRARIES = ("sdk", "langchain", "pydantic-ai", "litellm", "headrace")
COMPOSED = ("langchain", "headrace")
US, MS = 1e6, 1e3


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `work`: the function of each contender. `per`: what one call's time is divided by; `times`:
    calls in a round; `rounds`: at most so many, after one that warms. `target` is a ratio to
    `base`, or with `absolute` a figure.
    """

    id: str
    title: str
    work: str
    target: float | None = None
    reply: str = "plain"
    wire: str = "openai"
    contenders: tuple[str, ...] = ONLINE
    base: str = "sdk"
    per: int = 1
    times: int = 30
    rounds: int = 100
    unit: str = "us"
    scale: float = US
    absolute: bool = False
    is_long: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_time(self) -> bool:
        return self.unit in ("us", "ms")

    def among(self, chosen: Container[str]) -> Row:
        """The row for some of its contenders."""
        return replace(self, contenders=tuple(who for who in self.contenders if who in chosen))


def _stream(id: str, title: str, work: str, target: float, reply: str, **more: Any) -> Row:
    count = int(reply.partition("-")[2])
    shown: dict[str, Any] = {"times": max(1, 2_000 // count), **more}
    return Row(id, title, work, target, reply, per=count, **shown)


def _local(id: str, title: str, work: str, target: float, **more: Any) -> Row:
    local: dict[str, Any] = {"contenders": COMPOSED, "base": "langchain", "times": 3, **more}
    return Row(id, title, work, target, **local)


def _sum(id: str, title: str, work: str, target: float, **more: Any) -> Row:
    shown: dict[str, Any] = {"unit": "ms", "scale": MS, "absolute": True, "times": 1}
    return _local(id, title, work, target, **{**shown, **more})


CLAUDE: dict[str, Any] = {"wire": "anthropic"}
PACED: dict[str, Any] = {"times": 3, "rounds": 3}  # the server's pauses last, whoever reads
LATE: dict[str, Any] = {"reply": "wait", "times": 1, "per": 1_000, "rounds": 3}
THREADED = tuple(who for who in ONLINE if who != "pydantic-ai")  # whose sync calls have one thread
ONCE: dict[str, Any] = {"times": 1, "rounds": 1, "scale": 1, "is_long": True}
HEARD: dict[str, Any] = {"options": {"heard": True}}
AIOHTTP: dict[str, Any] = {
    "contenders": ("sdk", "langchain", "headrace"),  # the SDK as it comes, the others over aiohttp
    "options": {"transport": "aiohttp"},
}
ROWS = (
    _stream("chunk", "OpenAI chunk, burst of 1,000", "stream", 0.15, "text-1000"),
    _stream("achunk", "OpenAI chunk, burst of 1,000, async", "astream", 0.17, "text-1000"),
    _stream("chunk-100", "OpenAI chunk, burst of 100", "stream", 0.15, "text-100", is_long=True),
    _stream(
        "chunk-5000", "OpenAI chunk, of 5,000", "stream", 0.15, "text-5000", is_long=True, rounds=2
    ),
    _stream("args", "OpenAI tool-argument chunk", "stream", 0.20, "tools-1000"),
    _stream("aargs", "OpenAI tool-argument chunk, async", "astream", 0.22, "tools-1000"),
    _stream("claude", "Anthropic chunk", "stream", 0.55, "text-1000", **CLAUDE),
    _stream("aclaude", "Anthropic chunk, async", "astream", 0.60, "text-1000", **CLAUDE),
    _stream("claude-args", "Anthropic tool chunk", "stream", 0.65, "tools-1000", **CLAUDE),
    _stream("paced", "OpenAI chunk, one event a read", "stream", 0.55, "paced-200", **PACED),
    _stream(
        "apaced", "OpenAI chunk, one event a read, async", "astream", 0.65, "paced-200", **PACED
    ),
    Row("invoke", "OpenAI invoke", "invoke", 0.60),
    Row("ainvoke", "OpenAI ainvoke", "ainvoke", 0.65),
    Row("claude-invoke", "Anthropic invoke", "invoke", 0.80, wire="anthropic"),
    Row("claude-ainvoke", "Anthropic ainvoke", "ainvoke", 0.85, wire="anthropic"),
    Row("first", "CPU before the first token", "first_token", 0.60, "text-100", times=15),
    Row(
        "structured",
        "structured call; SDK: parse()",
        "structured",
        0.40,
        "movie",
        contenders=LIBRARIES,
    ),
    Row("abatch", "abatch 1,000 x 50 ms, a request", "abatch", 0.75, **LATE),
    Row("batch", "batch 1,000, 100 threads, a request", "batch", 0.75, contenders=THREADED, **LATE),
    _stream(
        "achunk-aiohttp",
        "OpenAI chunk, async, over aiohttp",
        "astream",
        0.07,
        "text-1000",
        **AIOHTTP,
    ),
    Row("abatch-aiohttp", "abatch 1,000 x 50 ms, over aiohttp", "abatch", 0.40, **LATE, **AIOHTTP),
    Row(
        "memory",
        "memory added by abatch of 10,000",
        "memory",
        5,
        contenders=COMPOSED,
        base="langchain",
        unit="MB",
        absolute=True,
        **ONCE,
    ),
    Row("kept", "memory that an answer holds", "kept", contenders=LIBRARIES, unit="KB", **ONCE),
    _local("step", "a step of a sequence", "slope", 1 / 50),
    _local("astep", "a step of a sequence, async", "aslope", 1 / 50),
    _local("heard", "a step, one handler", "slope", 1 / 15, **HEARD),
    _local("aheard", "a step, one handler, async", "aslope", 1 / 15, **HEARD),
    _local("steps", "batch of 1,000 x 3 steps, an input", "step_batch", 1 / 20, per=1_000, times=1),
    _local(
        "asteps", "abatch of 1,000 x 3 steps, an input", "step_abatch", 1 / 20, per=1_000, times=1
    ),
    _local("offline", "offline model, a chunk", "offline", 1 / 5),
    _local("aoffline", "offline model, a chunk, async", "aoffline", 1 / 5),
    _sum("text", "sum of 20,000 text chunks", "add_text", 15),
    _sum(
        "arguments",
        "sum of 5,000 tool-argument chunks",
        "add_arguments",
        10,
        is_long=True,
        rounds=2,
    ),
    _sum("blocks", "sum of 20,000 block chunks", "add_blocks", 20),
    _sum(
        "growth",
        "growth exponent of a sum, to 100,000",
        "growth",
        1.1,
        contenders=("headrace",),
        base="headrace",
        unit="",
        scale=1,
    ),
    _local("imports", "import runnables, messages", "import_messages", 1 / 4, unit="ms", scale=MS),
    _local("import-model", "import ChatOpenAI", "import_model", 1 / 5, unit="ms", scale=MS),
    _local("construct", "constructing a model again", "construct", 50, per=100, absolute=True),
    _local("parallel", "Parallel of 5", "parallel", 1 / 6, per=200),
    _local("aparallel", "Parallel of 5, async", "aparallel", 1 / 6, per=200),
)
BY_ID = {row.id: row for row in ROWS}
