"""Answers: text, conversations, usage, metadata, and one result by every door."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    message_chunk_to_message,
)
from headrace.testing.conformance.hooks import WAYS, ConformanceHooks, Serve, ask

REASONED: list[Any] = [
    {"type": "reasoning", "reasoning": "The user greets me."},
    {"type": "text", "text": "Hello!"},
]


def said(message: AIMessage) -> dict[str, Any]:
    """What must be the same by every door."""
    meta = message.response_metadata
    return {
        "content": [_plain(block) for block in message.content_blocks],
        "calls": [(call["name"], call["args"]) for call in message.tool_calls],
        "usage": message.usage_metadata,
        "finish": meta.get("finish_reason"),
        "model": meta.get("model_name"),
        "provider": meta.get("model_provider"),
    }


def _plain(block: Any) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key not in ("index", "id")}


class AnswerTests(ConformanceHooks):
    @WAYS
    def test_a_text_is_answered(self, serve: Serve, way: str) -> None:
        message = ask(serve().model(), way, 'Say "hello" and nothing else.')
        assert isinstance(message, AIMessage)
        assert message.text
        assert message.type in ("ai", "AIMessageChunk")
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.response_metadata["model_provider"]
        assert message.response_metadata["model_name"]
        assert message.response_metadata["duration_s"] > 0

    def test_every_door_gives_the_same_answer(self, serve: Serve) -> None:
        reply = AIMessage("Bonjour, le monde!", response_metadata={"finish_reason": "stop"})
        found = [
            said(ask(serve(reply).model(), way, "Translate: Hello, world!"))
            for way in ("invoke", "ainvoke", "stream", "astream")
        ]
        assert found[0]["content"] == [{"type": "text", "text": "Bonjour, le monde!"}]
        assert all(one == found[0] for one in found)

    def test_a_stream_comes_in_chunks_and_ends_with_the_last(self, serve: Serve) -> None:
        chunks: list[Any] = list(serve("one two three four").model().stream("Count to four."))
        assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
        assert sum(bool(chunk.text) for chunk in chunks) > 1
        positions = [chunk.chunk_position for chunk in chunks]
        assert positions.count("last") == 1
        assert positions[-1] == "last"

    @WAYS
    def test_white_space_survives(self, serve: Serve, way: str) -> None:
        text = "\n\n  def f():\n\treturn 1  # ends with a line\n"
        assert ask(serve(text).model(), way, "code").text == text

    @WAYS
    def test_every_script_and_symbol_survives(self, serve: Serve, way: str) -> None:
        text = "日本語 · Ελληνικά · العربية · 👩‍👩‍👧 · \u2028 · é"
        message = ask(serve(text).model(), way, text)
        assert message.text == text

    def test_a_conversation_reaches_the_provider_whole(self, serve: Serve) -> None:
        served = serve("Anna.")
        talk = [
            HumanMessage("I am Anna."),
            AIMessage("Nice to meet you."),
            HumanMessage("What is my name?"),
        ]
        before = copy.deepcopy(talk)
        served.model().invoke(talk)
        assert talk == before
        wire = repr(served.last)
        places = [wire.index(text) for text in ("I am Anna.", "Nice to meet you.", "What is my")]
        assert places == sorted(places)

    def test_consecutive_messages_of_one_role_are_accepted(self, serve: Serve) -> None:
        talk: list[BaseMessage] = [
            HumanMessage("First part."),
            HumanMessage("Second part."),
            AIMessage("One."),
            AIMessage("Two."),
            HumanMessage("Go on."),
        ]
        served = serve("fine")
        assert served.model().invoke(talk).text == "fine"
        wire = repr(served.last)
        assert all(message.text in wire for message in talk)

    def test_a_system_message_reaches_the_provider(self, serve: Serve) -> None:
        self.needs("system")
        served = serve("Arr.")
        served.model().invoke([SystemMessage("You are a pirate."), HumanMessage("Hello.")])
        assert "You are a pirate." in repr(served.last)

    def test_a_name_is_accepted(self, serve: Serve) -> None:
        self.needs("names")
        served = serve("Hi, Bob.")
        served.model().invoke([HumanMessage("Hello.", name="bob")])
        assert "bob" in repr(served.last)

    @WAYS
    def test_usage_is_whole(self, serve: Serve, way: str) -> None:
        self.needs("streamed_usage" if "stream" in way else "usage")
        used = ask(serve().model(), way, "How many tokens is this?").usage_metadata
        assert used is not None
        assert used["input_tokens"] > 0
        assert used["output_tokens"] > 0
        assert used["total_tokens"] >= used["input_tokens"] + used["output_tokens"]
        for side in ("input", "output"):
            details = used.get(f"{side}_token_details") or {}
            assert all(value <= used[f"{side}_tokens"] for value in details.values())

    def test_usage_is_counted_once_in_a_stream(self, serve: Serve) -> None:
        self.needs("usage", "streamed_usage")
        whole = ask(serve().model(), "invoke", "Count me.").usage_metadata
        assert ask(serve().model(), "stream", "Count me.").usage_metadata == whole

    @WAYS
    def test_stop_words_reach_the_provider(self, serve: Serve, way: str) -> None:
        self.needs("stop")
        served = serve()
        ask(served.model(), way, "Say: one STOP two", stop=["STOP"])
        assert "STOP" in repr({k: v for k, v in served.last.items() if "essage" not in k})
        served.model(stop=["HALT"]).invoke("Say one.")
        assert "HALT" in repr(served.last)

    @WAYS
    def test_an_answer_cut_off_by_its_bound_says_so(self, serve: Serve, way: str) -> None:
        self.needs("max_tokens")
        message = ask(serve().model(max_tokens=16), way, "word " * 60)
        assert message.response_metadata["finish_reason"] in ("length", "stop")
        cut = AIMessage("This is only a", response_metadata={"finish_reason": "length"})
        message = ask(serve(cut).model(max_tokens=16), way, "Go on.")
        assert message.response_metadata["finish_reason"] == "length"

    def test_another_model_may_be_named_at_the_call(self, serve: Serve) -> None:
        served = serve("a", "b")
        model = served.model()
        model.invoke("hi", model="another-model")
        assert served.server is not None
        seen = served.server.received[-1]
        assert "another-model" in f"{seen.path} {seen.body}"

    def test_batches_keep_their_order(self, serve: Serve) -> None:
        model = serve().model()
        asked = [f'Say "{number}".' for number in ("one", "two", "three")]
        texts = [message.text for message in model.batch(asked)]
        assert texts == [message.text for message in asyncio.run(model.abatch(asked))]
        assert [number in text for number, text in zip(("one", "two", "three"), texts, strict=True)]

    @WAYS
    def test_reasoning_is_kept_apart_from_text(self, serve: Serve, way: str) -> None:
        self.needs("reasoning")
        message = ask(serve(AIMessage(REASONED)).model(), way, "Hello?")
        assert message.text == "Hello!"
        kinds = [block["type"] for block in message.content_blocks]
        assert kinds == ["reasoning", "text"]
        thought: Any = message.content_blocks[0]
        assert thought["reasoning"] == "The user greets me."

    def test_an_answer_goes_back_as_history(self, serve: Serve) -> None:
        first = AIMessage(REASONED) if "reasoning" in self.abilities else AIMessage("Hello!")
        served = serve(first, "Fine.")
        model = served.model()
        chunks = list(model.stream("Hello?"))
        total = message_chunk_to_message(sum(chunks))  # type: ignore[arg-type]
        answer = model.invoke([HumanMessage("Hello?"), total, HumanMessage("How are you?")])
        assert answer.text == "Fine."
        assert "Hello!" in repr(served.last)

    def test_a_listener_sees_one_request(self, serve: Serve) -> None:
        events: list[Any] = []
        model = serve().model()
        model.invoke("hi", config={"callbacks": [events.append]})
        kinds = [(event.kind, event.run_type) for event in events]
        assert kinds == [("started", "chat_model"), ("ended", "chat_model")]

    def test_a_model_survives_a_pickle_without_its_key(self, serve: Serve) -> None:
        model: Any = serve().model(temperature=0.5)
        data = pickle.dumps(model)
        again = pickle.loads(data)
        assert again.temperature == 0.5
        key: Any = getattr(model, "api_key", None)
        if hasattr(key, "get_secret_value"):
            assert key.get_secret_value().encode() not in data
            assert key.get_secret_value() not in f"{model!r}{model.model_dump_json()}"

    def test_closing_twice_is_no_error(self, serve: Serve) -> None:
        model = serve("a", "b").model()
        model.invoke("hi")
        model.close()
        model.close()
        assert model.invoke("hi").text == "b"
