from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headrace.cli.table import table

HEADS = ["NAME", "SIZE", "ABOUT"]
ROWS = [["a", "1,000", "short"], ["a-longer-name", "5", "more words than one line can hold"]]


def test_columns_are_aligned_and_figures_to_the_right() -> None:
    assert table(HEADS, ROWS, right=["SIZE"]).splitlines() == [
        "NAME            SIZE  ABOUT",
        "a              1,000  short",
        "a-longer-name      5  more words than one line can hold",
    ]


def test_words_wrap_within_the_width() -> None:
    assert table(HEADS, ROWS[1:], width=42, right=["SIZE"]).splitlines() == [
        "NAME           SIZE  ABOUT",
        "a-longer-name     5  more words than one",
        "                     line can hold",
    ]


def test_where_columns_have_no_room_each_cell_has_its_line() -> None:
    assert table(HEADS, ROWS[1:], width=30, right=["SIZE"]).splitlines() == [
        "a-longer-name",
        "  SIZE   5",
        "  ABOUT  more words than one",
        "         line can hold",
    ]


def test_a_table_without_rows_is_its_heads() -> None:
    assert table(HEADS, []) == table(HEADS, [], width=5) == "NAME  SIZE  ABOUT"


WORDS = st.text("abc -", max_size=60)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=4), st.integers(40, 120))
def test_no_line_is_wider_than_the_terminal_and_no_letter_is_lost(rows: list, width: int) -> None:
    found = table(HEADS, rows, width=width)
    letters = sorted("".join(map("".join, rows)).replace(" ", ""))
    assert [letter for letter in sorted(found) if letter in "abc-"] == letters
    first = max((len(row[0]) for row in rows), default=0)
    assert max(map(len, found.splitlines())) <= max(width, first)
