"""Laws of pipelines of steps over text, in both worlds."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSequence,
)


def letters(chunks):
    for chunk in chunks:
        yield from chunk


async def doubled(chunks):
    async for chunk in chunks:
        for letter in chunk:
            yield letter * 2


async def swapped(text):
    return text.swapcase()


def pieces(text):
    for at in range(0, len(text), 3):
        yield text[at : at + 3]


joined = RunnableLambda(lambda d: d["a"] + "-" + d["b"], inline=True)
single = st.sampled_from(
    [
        RunnableLambda(str.upper, inline=True),
        RunnableLambda(swapped),
        RunnableLambda(pieces),
        RunnableGenerator(letters),
        RunnableGenerator(doubled),
        RunnablePassthrough(),
        RunnablePassthrough(lambda _: None),
        RunnableGenerator(letters).with_config(tags=["t"]),
        RunnableLambda(lambda text: RunnableGenerator(letters), inline=True),
    ]
)
# None of them depends on how its input is cut into chunks.
steps = single | st.tuples(single, single).map(
    lambda pair: RunnableParallel(a=pair[0], b=pair[1]) | joined
)
pipelines = st.lists(steps, min_size=2, max_size=4).map(lambda given: RunnableSequence(*given))
texts = st.text("aBc", min_size=1, max_size=6)  # of no text a generator makes no chunk
limits = st.sampled_from([1, 2, 32])


@settings(max_examples=50)
@given(steps, steps, steps, texts)
def test_how_a_pipe_is_bracketed_makes_no_difference(world: Any, a, b, c, text) -> None:
    for door in (world.invoke, world.stream):
        assert door((a | b) | c, text) == door(a | (b | c), text)


@settings(max_examples=50)
@given(pipelines, texts, limits)
def test_the_sum_of_a_stream_is_what_invoke_gives(world: Any, step, text, limit) -> None:
    config = {"max_concurrency": limit}
    assert "".join(world.stream(step, text, config)) == world.invoke(step, text, config)


@settings(max_examples=50)
@given(pipelines, st.lists(texts, min_size=1, max_size=4))
def test_how_the_input_is_cut_into_chunks_makes_no_difference(world: Any, step, chunks) -> None:
    assert "".join(world.transform(step, chunks)) == world.invoke(step, "".join(chunks))


@settings(max_examples=50)
@given(pipelines, st.lists(texts, max_size=4), limits)
def test_a_batch_is_what_invoke_gives_for_each(world: Any, step, inputs, limit) -> None:
    config = {"max_concurrency": limit}
    expected = [world.invoke(step, text) for text in inputs]
    assert world.batch(step, inputs, config) == expected
    assert sorted(world.completed(step, inputs, config)) == list(enumerate(expected))


@settings(max_examples=50)
@given(pipelines, texts)
def test_who_listens_makes_no_difference(world: Any, step, text) -> None:
    heard = []
    config = {"callbacks": [heard.append]}
    assert world.invoke(step, text, config) == world.invoke(step, text)
    assert "".join(world.stream(step, text, config)) == world.invoke(step, text)
    assert heard


@settings(max_examples=50)
@given(pipelines, texts)
def test_the_worlds_agree(step, text) -> None:
    assert step.invoke(text) == asyncio.run(step.ainvoke(text))
