"""What type checkers infer of ordinary pipelines; `make check` runs mypy --strict over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Optional, TypedDict, Union, assert_type

from pydantic import BaseModel

from headrace import (
    AIMessage,
    ChatPromptTemplate,
    Runnable,
    RunnableLambda,
    StrOutputParser,
    init_chat_model,
    tool_loop,
)
from headrace.chat_models import StructuredAnswer
from headrace_openai import ChatOpenAI


class Movie(BaseModel):
    title: str


class Show(BaseModel):
    seasons: int


class Joke(TypedDict):
    setup: str


def double(x: int) -> int:
    return 2 * x


def spelled(pieces: Iterator[str]) -> Iterator[str]:
    yield from pieces


prompt = ChatPromptTemplate.from_template("{x}")
model = init_chat_model("offline:demo")

assert_type(prompt | model | StrOutputParser(), Runnable[Mapping[str, Any], str])
assert_type((prompt | model | StrOutputParser()).invoke({"x": "1"}), str)
assert_type((prompt | model | StrOutputParser()).batch([{"x": "1"}]), list[str])
assert_type(model.invoke("hi"), AIMessage)
assert_type(model.with_structured_output(Movie).invoke("hi"), Movie)
assert_type(next(model.with_structured_output(Movie).stream("hi")), Movie)
assert_type(model.with_structured_output(list[Movie]).invoke("hi"), list[Movie])
assert_type(model.with_structured_output(Joke, retries=1).invoke("hi"), Joke)
assert_type(model.with_structured_output({"title": "T"}).invoke("hi"), dict[str, Any])
assert_type(
    model.with_structured_output(Movie, include_raw=True).invoke("hi"), StructuredAnswer[Movie]
)
assert_type(model.with_structured_output(Movie).with_retry().batch(["hi"]), list[Movie])
assert_type(model.bind_tools([]).with_retry().with_config(tags=["a"]).invoke("hi"), AIMessage)
assert_type(ChatOpenAI(model="m", api_key="k", timeout=3.0).bind(seed=1).invoke("x"), AIMessage)
assert_type((RunnableLambda(double) | double).invoke(1), int)
assert_type(prompt | model | StrOutputParser() | spelled, Runnable[Mapping[str, Any], str])
assert_type((prompt | model | {"a": StrOutputParser()}).invoke({"x": 1}), dict[str, Any])

assert_type(model.with_structured_output(Movie | Show).invoke("hi"), Movie | Show)
assert_type(model.with_structured_output(Union[Movie, Show]).invoke("hi"), Movie | Show)  # noqa: UP007 - this form too
assert_type(model.with_structured_output(Optional[Movie]).invoke("hi"), Movie | None)  # noqa: UP045 - this form too
assert_type(model.with_structured_output(list[Movie | Show]).invoke("hi"), list[Movie | Show])
assert_type(model.with_structured_output(Literal["a", "b"]).invoke("hi"), Literal["a", "b"])
assert_type(next(model.with_structured_output(Movie | Show).stream("hi")), Movie | Show)
assert_type(
    model.with_structured_output(Movie | Show, include_raw=True).invoke("hi"),
    StructuredAnswer[Movie | Show],
)
assert_type(tool_loop(model, [double]).invoke("hi"), AIMessage)
assert_type(tool_loop(model, [], returns="messages").invoke("hi"), list[Any])
assert_type(tool_loop(model, []).with_structured_output(Movie | Show).invoke("hi"), Movie | Show)
assert_type(tool_loop(model.with_structured_output(Movie), []).batch(["hi"]), list[Movie])
