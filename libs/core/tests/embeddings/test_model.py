from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from headrace import RunnableLambda
from headrace.embeddings import Embeddings
from headrace.errors import (
    InputError,
    ModelAPIError,
    ModelInvalidRequestError,
    ModelTimeoutError,
    UnsupportedParameterError,
    WireError,
)
from headrace.rate_limiters import RateLimiter

TEXTS = [str(number) for number in range(100)]


def test_vectors_keep_the_order_of_the_texts_over_many_requests(make: Any, embed: Any) -> None:
    model = make(batch_size=7)
    result = embed(model, iter(TEXTS))
    assert result.vectors == [[float(text)] for text in TEXTS]
    assert sorted(len(call[0]) for call in model._calls) == [2, *[7] * 14]


def test_usage_adds_up_and_the_metadata_say_who_answered(make: Any, embed: Any) -> None:
    profile = {"embedding_dimensions": 1, "cost": {"input": 2, "output": 0}}
    result = embed(make(batch_size=50, profile=profile), TEXTS)
    assert result.usage_metadata == {
        "input_tokens": 100, "output_tokens": 0, "total_tokens": 100
    }  # fmt: skip
    about = result.response_metadata
    assert about.pop("duration_s") > 0
    assert about == {
        "model_name": "numbers",
        "model_provider": "recorded",
        "request_ids": ["0", "50"],
        "cost_usd": pytest.approx(0.0002),
    }


def test_requests_go_out_at_once_up_to_the_budget(make: Any, embed: Any) -> None:
    model = make(batch_size=1)
    embed(model, TEXTS, {"max_concurrency": 3})
    assert 1 < model._most <= 3


def test_its_rate_limiter_lets_each_request_in(make: Any, embed: Any) -> None:
    limiter = RateLimiter(concurrency=2)
    model = make(batch_size=5, rate_limiter=limiter)
    assert len(embed(model, TEXTS).vectors) == 100
    assert model._most <= 2


def test_no_texts_are_no_request(make: Any, embed: Any) -> None:
    model = make()
    assert (embed(model, []).vectors, model._calls) == ([], [])


def test_documents_and_queries_are_told_apart(make: Any) -> None:
    model = make()
    assert model.embed_documents(["1", "2"]) == [[1.0], [2.0]]
    assert model.embed_query("3") == [3.0]
    assert asyncio.run(model.aembed_query("4")) == [4.0]
    assert asyncio.run(model.aembed_documents(["5"])) == [[5.0]]
    assert [call[2] for call in model._calls] == [
        "document", "query", "query", "document"
    ]  # fmt: skip


def test_only_the_request_that_failed_is_tried_again(make: Any, embed: Any) -> None:
    left = ["fail", "fail"]

    def fails(texts: list[str]) -> Exception | None:
        return ModelAPIError("down", retry_after=0.001) if texts[0] == "50" and left.pop() else None

    left.insert(0, "")
    model = make(fails, batch_size=25)
    assert embed(model, TEXTS).vectors[60] == [60.0]
    firsts = [call[0][0] for call in model._calls]
    assert sorted(firsts, key=int) == ["0", "25", "50", "50", "50", "75"]


def test_after_the_last_attempt_the_error_is_raised_and_the_rest_is_left(
    make: Any, embed: Any
) -> None:
    def fails(texts: list[str]) -> Exception | None:
        return ModelInvalidRequestError("no") if texts[0] == "0" else None

    model = make(fails, batch_size=1)
    with pytest.raises(ModelInvalidRequestError):
        embed(model, TEXTS, {"max_concurrency": 2})
    assert len(model._calls) < 10


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ("one", "a list of texts is embedded, not str; a single text by `embed_query`"),
        (["1", 2], "number 1 is int"),
        (["1", ""], "text number 1 is empty"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_text_is_an_error_before_any_request(make: Any, texts: Any, told: str) -> None:
    model = make()
    with pytest.raises(InputError, match=told):
        model.embed(texts)
    assert model._calls == []


LENGTHS = {"embedding_dimensions": 8, "parameters": {"dimensions": {"values": [8, 4]}}}
RANGE = {"embedding_dimensions": 8, "parameters": {"dimensions": {"minimum": 2, "maximum": 8}}}
FIXED = {"embedding_dimensions": 8, "parameters": {"dimensions": False}}


@pytest.mark.parametrize(
    ("facts", "asked", "told"),
    [
        (LENGTHS, 5, "`numbers` makes vectors of 8, 4 numbers, not of 5"),
        (RANGE, 9, "of 2 to 8 numbers, not of 9"),
        (FIXED, 4, "of 8 numbers of one length only, not of 4"),
    ],
)
def test_a_length_that_the_model_cannot_make_is_refused(
    make: Any, facts: Any, asked: int, told: str
) -> None:
    model = make(dimensions=asked, profile=facts)
    with pytest.raises(UnsupportedParameterError, match=told):
        model.embed(["1"])
    assert model._calls == []


@pytest.mark.parametrize(("facts", "asked"), [(LENGTHS, 4), (RANGE, 2), ({}, 700)])
def test_a_length_that_it_can_make_or_of_which_nobody_knows_is_sent(
    make: Any, embed: Any, facts: Any, asked: int
) -> None:
    model = make(dimensions=asked, profile={"name": "N", **facts})
    assert len(embed(model, ["1"]).vectors[0]) == asked


def test_under_drop_the_length_is_left_out_and_recorded(make: Any, embed: Any) -> None:
    result = embed(make(dimensions=4, profile=FIXED, on_unsupported="drop"), ["1"])
    (record,) = result.response_metadata["adapted"]
    assert (record["name"], record["asked"], record["sent"]) == ("dimensions", 4, None)
    assert result.vectors == [[1.0]]


def test_the_length_it_makes_anyway_is_not_sent_where_it_takes_none(make: Any) -> None:
    model = make(dimensions=8, profile=FIXED)
    assert model.embed(["1"]).response_metadata["adapted"][0]["asked"] == 8
    assert model._calls[0][1] == {"model": "numbers"}


def test_vectors_of_another_length_than_asked_are_an_error(make: Any, embed: Any) -> None:
    class Deaf(type(make())):  # type: ignore[misc]  # a class made by a fixture
        async def _embed(self, texts: Any, settings: Any, run: Any) -> Any:
            return await super()._embed(texts, settings.__class__({}, settings.watch), run)

    with pytest.raises(WireError, match="vectors of 1 numbers where `dimensions` = 3"):
        embed(Deaf(dimensions=3, profile={"name": "N"}), ["1"])


def test_fewer_vectors_than_texts_are_an_error(make: Any, embed: Any) -> None:
    class Short(type(make())):  # type: ignore[misc]  # a class made by a fixture
        async def _embed(self, texts: Any, settings: Any, run: Any) -> Any:
            return await super()._embed(texts[:1], settings, run)

    with pytest.raises(WireError, match="gave 1 vectors for 2 texts"):
        embed(Short(profile={"name": "N"}), ["1", "2"])


def test_an_async_request_that_takes_too_long_is_a_timeout(make: Any) -> None:
    class Slow(type(make())):  # type: ignore[misc]  # a class made by a fixture
        async def _embed(self, texts: Any, settings: Any, run: Any) -> Any:
            await run.io.sleep(60)

    model = Slow(timeout=0.01, max_retries=0, profile={"name": "N"})
    with pytest.raises(ModelTimeoutError, match="took longer than"):
        asyncio.run(model.aembed(["1"]))


def test_listeners_see_one_run_of_type_embedding_and_each_retry(
    make: Any, embed: Any, events: Any
) -> None:
    left = [1]

    def fails(texts: list[str]) -> Exception | None:
        return ModelAPIError("down", retry_after=0.001) if left and left.pop() else None

    model = make(fails, batch_size=1, tags=("own",))
    result = embed(model, ["1"], {"callbacks": [events], "run_name": "vectors"})
    told = [(one.kind, one.name, one.run_type) for one in events.seen]
    assert told == [
        ("started", "vectors", "embedding"),
        ("noted", "vectors", "embedding"),
        ("ended", "vectors", "embedding"),
    ]
    assert events.seen[0].payload["input"] == ["1"]
    assert events.seen[-1].payload["output"] is result
    assert events.seen[0].tags == ("own",)


def test_listeners_of_the_model_itself_hear_of_a_failure(make: Any, events: Any) -> None:
    model = make(lambda texts: ModelInvalidRequestError("no"), callbacks=[events])
    with pytest.raises(ModelInvalidRequestError):
        model.embed(["1"])
    assert [one.kind for one in events.seen] == ["started", "failed"]


def test_inside_a_step_its_run_stands_below_that_of_the_step(make: Any, events: Any) -> None:
    model = make()
    step = RunnableLambda(lambda text: model.embed_query(text), name="outer")
    assert step.invoke("7", {"callbacks": [events]}) == [7.0]
    starts = {one.name: one for one in events.seen if one.kind == "started"}
    assert starts["Recorded"].parent_ids == (starts["outer"].run_id,)


def test_a_model_is_frozen_copies_pickles_and_keeps_no_key(make: Any) -> None:
    model = make(api_key="sk-secret", dimensions=3)
    again = pickle.loads(pickle.dumps(model))
    assert (again.dimensions, again.api_key) == (3, None)
    assert model.model_copy(update={"dimensions": 4}).dimensions == 4
    assert "sk-secret" not in repr(model)
    with pytest.raises(InputError, match=r"`dimension`.*did you mean `dimensions`"):
        make(dimension=3)


def test_a_class_without_its_request_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="has no `async def _embed"):

        class Nothing(Embeddings):
            pass
