"""headrace at work on real input, without a key: `make demo`.

Options: `python scripts/demo.py [FILE]` adds a file of yours to the repository's README.
HEADRACE_MODEL=openai:gpt-5-mini (with its key set) runs the same on a real provider.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from headrace import ChatPromptTemplate, StrOutputParser, init_chat_model, tool
from headrace.callbacks import get_usage_metadata_callback
from headrace.chat_models import Model
from headrace.errors import HeadraceError
from headrace.messages import AIMessage, HumanMessage
from headrace.testing.loopback import LoopbackServer
from headrace_openai.loopback import ChatCompletionsWire

ROOT = Path(__file__).resolve().parent.parent
BAR = 28


class Project(BaseModel):
    """What a project is, in two fields."""

    name: str = Field(description="Its name, as it writes it")
    tokens: int = Field(0, description="A number the text names, or 0")


@tool
def count_words(word: str) -> int:
    """Counts how often a word stands in the document."""
    return DOCUMENT.lower().count(word.lower())


DOCUMENT = ""
PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "You sum up documents in one sentence."),
        ("human", "Sum up this part of {name}:\n\n{part}"),
    ]
)


def main(arguments: list[str]) -> int:
    """Runs the demo; 0 when all went well, 1 with a message otherwise, 2 for a missing file."""
    files = [ROOT / "README.md", *(Path(name) for name in arguments)]
    for file in files:
        if not file.is_file():
            print(f"no such file: {file}", file=sys.stderr)
            return 2
    name = os.environ.get("HEADRACE_MODEL", "offline:demo")
    try:
        run(f"{name}", init_chat_model(name, **slow(name)), files)
        if "HEADRACE_MODEL" not in os.environ:
            through_http(files)
    except HeadraceError as error:
        where = f" (in step {error.step})" if error.step else ""
        print(f"\n{type(error).__name__}{where}: {error}", file=sys.stderr)
        return 1
    return 0


def slow(name: str) -> dict[str, Any]:
    return {"chunk_delay": 0.01} if name.startswith("offline:") else {}


def through_http(files: list[Path]) -> None:
    """The same through the real OpenAI SDK, against a server on loopback."""
    with LoopbackServer(
        init_chat_model("offline:demo"), ChatCompletionsWire(), chunk_delay=0.005
    ) as server:
        model = init_chat_model("openai:demo", base_url=server.base_url, api_key="none-needed")
        with model:
            run("openai:demo through the OpenAI SDK, over HTTP on loopback", model, files)
        print(f"  the server saw {len(server.requests)} requests")


def run(title: str, model: Model[AIMessage], files: list[Path]) -> None:
    """Streams, calls a tool, makes an object and a batch; sums the usage of all."""
    global DOCUMENT
    print(f"\n=== {title} ===")
    with get_usage_metadata_callback() as usage:
        chain = PROMPT | model | StrOutputParser()
        for file in files:
            DOCUMENT = file.read_text(encoding="utf-8")
            streamed(chain, file, DOCUMENT)
        tool_round(model)
        as_object(model, DOCUMENT)
        batched(chain, files)
    print("\n5. usage of all that")
    for served, figures in usage.usage_metadata.items():
        print(
            f"   {served}: {figures['input_tokens']} in + {figures['output_tokens']} out "
            f"= {figures['total_tokens']} tokens"
        )


def streamed(chain: Any, file: Path, text: str) -> None:
    print(f"\n1. {file.name}, streamed: prompt | model | parser\n   ", end="")
    began, first, pieces = time.perf_counter(), None, 0
    with chain.stream({"name": file.name, "part": text[:1200]}) as tokens:
        for token in tokens:
            first = first or time.perf_counter() - began
            pieces += 1
            print(token, end="", flush=True)
    took = time.perf_counter() - began
    print(f"\n   ({pieces} pieces, the first after {first or 0:.3f} s, all in {took:.3f} s)")


def tool_round(model: Model[AIMessage]) -> None:
    print("\n2. a round of tool calls")
    question = 'How often do the words "model" and "stream" stand in the document? Count them.'
    history: list[Any] = [HumanMessage(question)]
    with_tools = model.bind_tools([count_words])
    answer = with_tools.invoke(history)
    history.append(answer)
    for call in answer.tool_calls:
        result = count_words.invoke(call)
        print(f"   {call['name']}({call['args']}) -> {result.text}")
        history.append(result)
    print(f"   answer: {with_tools.invoke(history).text}")


def as_object(model: Model[AIMessage], text: str) -> None:
    print("\n3. structured output")
    found = model.with_structured_output(Project).invoke(f"What project is this? {text[:400]}")
    print(f"   {found!r}")


def batched(chain: Any, files: list[Path]) -> None:
    print("\n4. a batch over all paragraphs, eight at once")
    parts = [
        {"name": file.name, "part": part}
        for file in files
        for part in file.read_text(encoding="utf-8").split("\n\n")
        if len(part) > 60
    ]
    done, words = 0, 0
    for _, summary in chain.batch_as_completed(parts, {"max_concurrency": 8}):
        done, words = done + 1, words + len(summary.split())
        filled = BAR * done // len(parts)
        if sys.stdout.isatty() or done == len(parts):
            print(f"\r   [{'#' * filled}{'.' * (BAR - filled)}] {done}/{len(parts)}", end="")
    print(f"   {words} words in all")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
