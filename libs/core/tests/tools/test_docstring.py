from __future__ import annotations

from typing import Any

import pytest

from headrace.tools import Tool
from headrace.tools.docstring import read_docstring

NUMPY = """Adds.

More text.

Parameters
----------
a : int
    The first,
    in two lines.
b, c : int, optional
    The others.

Returns
-------
int
    The sum.
"""
SPHINX = """Adds.

:param a: The first,
    in two lines.
:type a: int
:param int b: The others.
:param c: The others.
:returns: the sum
"""


@pytest.mark.parametrize(
    ("doc", "text"),
    [
        (NUMPY, "Adds.\n\nMore text.\n\nReturns\n-------\nint\n    The sum."),
        (SPHINX, "Adds.\n\n:returns: the sum"),
    ],
    ids=["numpy", "sphinx"],
)
def test_arguments_are_read_and_leave_the_text(doc: str, text: str) -> None:
    found = read_docstring(doc)
    assert found.arguments == {
        "a": "The first, in two lines.", "b": "The others.", "c": "The others.",
    }  # fmt: skip
    assert found.text == text
    assert found.clear


@pytest.mark.parametrize("doc", [NUMPY, SPHINX], ids=["numpy", "sphinx"])
def test_a_docstring_of_any_style_describes_the_arguments_of_a_tool(doc: str) -> None:
    def add(a: int, b: int, c: int) -> int:
        return a + b + c

    add.__doc__ = doc
    made = Tool(add)
    assert made.args["a"]["description"] == "The first, in two lines."
    assert "first" not in made.description


@pytest.mark.parametrize(
    "doc",
    [
        "Adds.\n\nParameters\n----------\n    a : int\n",
        "Adds.\n\nParameters\n----------\nwhat is this - nobody knows\n",
    ],
)
def test_a_section_that_cannot_be_read_stays_in_the_text(doc: str) -> None:
    found = read_docstring(doc)
    assert (found.clear, found.arguments, found.text) == (False, {}, doc.strip())


def test_a_section_of_no_arguments_is_left_alone() -> None:
    found: Any = read_docstring("Adds.\n\nReturns\n-------\nint\n    The sum.")
    assert found.arguments == {}
    assert found.clear
