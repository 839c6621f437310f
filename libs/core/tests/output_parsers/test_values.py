from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from headrace.errors import InputError, OutputParserError
from headrace.messages import AIMessage, HumanMessage
from headrace.output_parsers import (
    CommaSeparatedListOutputParser,
    DatetimeOutputParser,
    EnumOutputParser,
    MarkdownListOutputParser,
    NumberedListOutputParser,
    ToolCallsOutputParser,
    XMLOutputParser,
)


class Mood(Enum):
    GOOD = "good"
    BAD = "so bad"


class Add(BaseModel):
    a: int


@pytest.mark.parametrize(
    ("parser", "text", "items"),
    [
        (CommaSeparatedListOutputParser(), 'a, "b, c" , d\n', ["a", "b, c", "d"]),
        (CommaSeparatedListOutputParser(), "", []),
        (NumberedListOutputParser(), "Here:\n1. one\n2) two\n   more\n\n3. 1.5 kg", None),
        (MarkdownListOutputParser(), "Here:\n- one\n* two\n  more\n+ 1.5 kg", None),
    ],
)
def test_lists_are_read(world: Any, parser: Any, text: str, items: Any) -> None:
    expected = ["one", "two more", "1.5 kg"] if items is None else items
    assert world.invoke(parser, AIMessage(text)) == expected
    pieces = world.transform(parser, list(text))
    assert [item for piece in pieces for item in piece] == expected


def test_items_of_a_list_come_when_they_are_finished(world: Any) -> None:
    pieces = ["1. o", "ne\n2. t", "wo\n", "3. three"]
    found = world.transform(NumberedListOutputParser(), pieces)
    assert found == [["one"], ["two", "three"]]


def test_a_text_without_a_list_is_an_error_that_shows_it() -> None:
    with pytest.raises(OutputParserError, match="no numbered list in the text 'sorry'"):
        NumberedListOutputParser().invoke("sorry")


def test_an_enum_is_read_by_value_then_name(world: Any) -> None:
    parser = EnumOutputParser(Mood)
    for text, mood in (("good", Mood.GOOD), (" `So Bad`. ", Mood.BAD), ("BAD", Mood.BAD)):
        assert world.invoke(parser, text) is mood
    with pytest.raises(OutputParserError, match=r"is no Mood \(did you mean `good`\?\)"):
        parser.invoke("goood")
    with pytest.raises(InputError, match="takes an Enum class"):
        EnumOutputParser(str)  # type: ignore[type-var]


def test_a_date_and_time_is_read(world: Any) -> None:
    assert world.invoke(DatetimeOutputParser(), "`2026-03-14T15:09:26Z`") == datetime(
        2026, 3, 14, 15, 9, 26, tzinfo=UTC
    )
    assert world.invoke(DatetimeOutputParser("%d.%m.%Y"), "14.3.2026") == datetime(2026, 3, 14)
    with pytest.raises(OutputParserError, match="is no date and time"):
        DatetimeOutputParser().invoke("tomorrow")


def test_xml_becomes_dicts(world: Any) -> None:
    text = "Here:\n```xml\n<a><b>1 &lt; 2</b><b/><c><d>x</d></c></a>\n```"
    assert world.invoke(XMLOutputParser(), text) == {
        "a": [{"b": "1 < 2"}, {"b": ""}, {"c": [{"d": "x"}]}]
    }


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "<a><b></a>",
        '<!DOCTYPE a [<!ENTITY x "boom">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>" * 200 + "</a>" * 200,
    ],
)
def test_xml_that_is_broken_or_hostile_is_refused(text: str) -> None:
    with pytest.raises(OutputParserError, match="XML"):
        XMLOutputParser().invoke(text)


def test_tool_calls_come_as_dicts_or_as_objects(world: Any) -> None:
    calls = [{"name": "Add", "args": {"a": 1}, "id": "1"}, {"name": "other", "args": {}, "id": "2"}]
    message = AIMessage("", tool_calls=calls)
    assert [c["id"] for c in world.invoke(ToolCallsOutputParser(), message)] == ["1", "2"]
    one = ToolCallsOutputParser([Add], name="Add", first_only=True)
    assert world.invoke(one, message) == Add(a=1)
    assert world.invoke(one, AIMessage("hi")) is None


def test_calls_that_cannot_be_read_are_errors() -> None:
    cut = {"type": "invalid_tool_call", "name": "Add", "args": "{", "id": "1", "error": "cut"}
    wrong = [{"name": "Add", "args": {"a": "x"}, "id": "1"}]
    for parser, message, match in (
        (ToolCallsOutputParser(), AIMessage("", invalid_tool_calls=[cut]), "`Add`: cut"),
        (ToolCallsOutputParser([Add]), AIMessage("", tool_calls=wrong), "`a`: Input should"),
    ):
        with pytest.raises(OutputParserError, match=match):
            parser.invoke(message)
    with pytest.raises(InputError, match="stand in an AIMessage"):
        ToolCallsOutputParser().invoke(HumanMessage("hi"))


def test_the_instructions_say_the_form() -> None:
    said = [
        CommaSeparatedListOutputParser().get_format_instructions(),
        NumberedListOutputParser().get_format_instructions(),
        EnumOutputParser(Mood).get_format_instructions(),
        DatetimeOutputParser("%Y").get_format_instructions(),
        XMLOutputParser(["a"]).get_format_instructions(),
    ]
    for text, part in zip(said, ("commas", "numbered", "so bad", "2026", "tags a"), strict=True):
        assert part in text


@pytest.mark.parametrize("said", ["**good**", "Good.", "`good`"])
def test_marks_around_a_member_of_an_enum_are_no_part_of_it(said: str) -> None:
    assert EnumOutputParser(Mood).invoke(said) is Mood.GOOD


def test_a_bare_ampersand_in_xml_is_text() -> None:
    said = "<a>Tom & Jerry &amp; &#65;</a>"
    assert XMLOutputParser().invoke(said) == {"a": "Tom & Jerry & A"}
    assert XMLOutputParser().invoke("<a><![CDATA[x & y]]></a>") == {"a": "x & y"}
