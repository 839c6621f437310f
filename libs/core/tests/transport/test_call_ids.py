"""Ids of tool calls: every one fits, calls keep their results, and no two become one."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headrace.chat_models import Notes
from headrace.transport import ANY_ID, LETTERS, CallIds, IdRule

NINE = IdRule(re.compile(r"[a-zA-Z0-9]{9}"), "nine", prefix="", digits=LETTERS, length=9)
SHORT = IdRule(re.compile(r"[a-z_0-9]{1,40}"), "at most 40")
# So few ids that made ones meet each other, and those that are there already.
CROWDED = IdRule(re.compile(r"[01]{6}"), "six bits", prefix="", digits="01", length=6)
RULES = st.sampled_from([NINE, SHORT, CROWDED, ANY_ID])
IDS = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.text("01", min_size=6, max_size=6),
        st.sampled_from("ab:").map(lambda c: c * 45),
    ),
    max_size=12,
)


@given(rule=RULES, ids=IDS)
def test_ids_fit_and_no_two_become_one(rule: IdRule, ids: list[str]) -> None:
    names = CallIds(rule, Notes())
    sent = [names.of_call(id) for id in ids]
    assert all(map(rule.takes, sent))
    asked = [id or object() for id in ids]  # each call without an id is a call of its own
    assert len(set(sent)) == len(set(asked))


@given(rule=RULES, ids=IDS)
def test_results_have_the_ids_of_their_calls(rule: IdRule, ids: list[str]) -> None:
    names = CallIds(rule, Notes())
    sent = [names.of_call(id) for id in ids]
    assert [names.of_result(id) for id in ids] == sent


@given(rule=RULES, ids=IDS)
def test_a_request_made_again_has_the_same_ids(rule: IdRule, ids: list[str]) -> None:
    first, again = CallIds(rule, Notes()), CallIds(rule, Notes())
    assert [first.of_call(id) for id in ids] == [again.of_call(id) for id in [*ids, "more"]][:-1]


@given(rule=RULES, ids=IDS)
def test_what_is_rewritten_is_recorded_once(rule: IdRule, ids: list[str]) -> None:
    notes = Notes()
    names = CallIds(rule, notes)
    sent = {id: names.of_call(id) for id in ids if id}
    for id in sent:
        names.of_result(id)
    told: Any = [(record["asked"], record["sent"]) for record in notes.records]
    assert told == [(id, out) for id, out in sent.items() if id != out]


def test_an_id_that_was_made_is_taken_from_nobody() -> None:
    notes = Notes()
    names = CallIds(ANY_ID, notes)
    assert names.of_call(None) == "call_1"
    other = names.of_call("call_1")
    assert other != "call_1"
    assert names.of_result("call_1") == other
    assert notes.records[0]["reason"] == "another call has it"


def test_a_result_that_answers_nothing_has_no_id() -> None:
    assert CallIds(SHORT, Notes()).of_result("") == ""
