"""Handlers: which methods are called, and with what."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID, uuid4

import pytest

from headrace.callbacks import AsyncCallbackHandler, BaseCallbackHandler, dispatch_custom_event
from headrace.errors import ModelRateLimitError
from headrace.runnables import Runnable, RunnableGenerator, RunnableLambda, chain
from headrace.testing import ScriptedChatModel


class Recorder(BaseCallbackHandler):
    """Notes (method, first argument, keywords) of what it overrides."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, dict[str, Any]]] = []

    def note(self, method: str, what: Any, about: dict[str, Any]) -> None:
        self.heard.append((method, what, about))

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.heard]


class Chains(Recorder):
    def on_chain_start(self, serialized: dict[str, Any], inputs: Any, **kwargs: Any) -> None:
        self.note(f"start {serialized['name']}", inputs, kwargs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.note("end", outputs, kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.note("error", error, kwargs)


class Models(Recorder):
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[Any], **kwargs: Any
    ) -> None:
        self.note("start", messages, kwargs)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.note("end", response, kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.note("error", error, kwargs)


class Tokens(Recorder):
    def on_llm_new_token(self, token: str, *, chunk: Any = None, **kwargs: Any) -> None:
        self.note("token", token, {"chunk": chunk, **kwargs})


@chain
def double(x: int) -> int:
    return x * 2


def test_a_step_is_told_by_its_start_and_end_with_ids_tags_and_metadata(world: Any) -> None:
    handler, run_id = Chains(), uuid4()
    config = {
        "callbacks": [handler], "run_id": run_id, "tags": ["t"], "metadata": {"k": 1},
    }  # fmt: skip
    world.invoke(double | double, 1, config)
    (first, given, about), (second, _, inner), *_, (last, output, _) = handler.heard
    assert (first, given) == ("start RunnableSequence", 1)
    assert (about["run_id"], about["parent_run_id"]) == (run_id, None)
    assert (about["tags"], about["metadata"]) == (["t"], {"k": 1})
    assert (second, inner["parent_run_id"], inner["name"]) == ("start double", run_id, "double")
    assert (last, output) == ("end", 4)


def test_an_error_is_told(world: Any) -> None:
    handler = Chains()
    with pytest.raises(ZeroDivisionError):
        world.invoke(RunnableLambda(lambda x: 1 / x), 0, {"callbacks": handler})
    assert handler.methods == ["start RunnableLambda", "error"]


def test_a_stream_that_was_left_is_told_as_closed(world: Any) -> None:
    handler = Chains()
    step = RunnableGenerator(lambda chunks: (n for _ in chunks for n in range(9)))
    world.read(step, 3, 2, {"callbacks": [handler]})
    [_, (method, output, about)] = handler.heard
    assert (method, output, about["reason"]) == ("end", 1, "closed")


def test_a_model_is_told_by_its_messages_and_its_answer(world: Any) -> None:
    handler = Models()
    world.invoke(ScriptedChatModel(["hello"]), "hi", {"callbacks": [handler]})
    (_, messages, about), (_, answer, _) = handler.heard
    assert [message.text for message in messages] == ["hi"]
    assert answer.text == "hello"
    assert isinstance(about["run_id"], UUID)


def test_a_handler_without_on_chat_model_start_is_told_by_on_llm_start(world: Any) -> None:
    class Prompts(Recorder):
        def on_llm_start(
            self, serialized: dict[str, Any], prompts: list[str], **kwargs: Any
        ) -> None:
            self.note("start", prompts, kwargs)

    handler = Prompts()
    world.invoke(ScriptedChatModel(["hello"]), "hi", {"callbacks": [handler]})
    [(_, [prompt], _)] = handler.heard
    assert "hi" in prompt


def test_a_handler_of_tokens_makes_an_invoked_model_stream(world: Any) -> None:
    handler = Tokens()
    answer = world.invoke(ScriptedChatModel(["one two three"]), "hi", {"callbacks": [handler]})
    assert "".join(token for _, token, _ in handler.heard) == "one two three" == answer.text
    assert len(handler.heard) > 1


def test_only_what_is_overridden_is_wanted() -> None:
    assert BaseCallbackHandler.wants == frozenset()
    assert Tokens.wants == {"chunked"}
    assert Models.wants == {"started", "ended", "failed"}


def test_methods_may_be_coroutine_functions(world: Any) -> None:
    heard: list[Any] = []

    class Waiting(AsyncCallbackHandler):
        async def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
            heard.append(outputs)

    world.invoke(double, 2, {"callbacks": [Waiting()]})
    assert heard == [4]


@pytest.mark.parametrize("run_type", ["tool", "retriever"])
def test_tools_and_retrievers_have_methods_of_their_own(world: Any, run_type: str) -> None:
    class Finder(Runnable[Any, Any]):
        async def _invoke(self, input: Any, run: Any) -> Any:
            return [input]

    class Handler(Recorder):
        def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
            self.note("tool start", kwargs["inputs"], kwargs)

        def on_tool_end(self, output: Any, **kwargs: Any) -> None:
            self.note("tool end", output, kwargs)

        def on_retriever_start(self, serialized: Any, query: Any, **kwargs: Any) -> None:
            self.note("retriever start", query, kwargs)

        def on_retriever_end(self, documents: Any, **kwargs: Any) -> None:
            self.note("retriever end", documents, kwargs)

    handler = Handler()
    Finder.run_type = run_type
    world.invoke(Finder(), "q", {"callbacks": [handler]})
    assert [(m, w) for m, w, _ in handler.heard] == [
        (f"{run_type} start", "q"),
        (f"{run_type} end", ["q"]),
    ]


def test_a_retry_a_fallback_and_custom_events_are_told_apart(world: Any) -> None:
    class Notes(Recorder):
        def on_retry(self, retry_state: Any, **kwargs: Any) -> None:
            self.note("retry", retry_state["attempt"], kwargs)

        def on_fallback(self, data: Any, **kwargs: Any) -> None:
            self.note("fallback", str(data["error"]), kwargs)

        def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
            self.note(f"custom {name}", data, kwargs)

    def fail(x: Any) -> Any:
        dispatch_custom_event("retry", x)
        raise ValueError("broken")

    fast = {"initial": 0, "jitter": 0}
    step = RunnableLambda(fail).with_retry(stop_after_attempt=2, exponential_jitter_params=fast)
    handler = Notes()
    world.invoke(step.with_fallbacks([double]), 1, {"callbacks": [handler]})
    assert [(m, w) for m, w, _ in handler.heard] == [
        ("custom retry", 1), ("retry", 1), ("custom retry", 1), ("fallback", "broken"),
    ]  # fmt: skip


def test_a_step_may_tell_a_text(world: Any) -> None:
    class Talker(Runnable[Any, Any]):
        async def _invoke(self, input: Any, run: Any) -> Any:
            await run.note("text", "thinking")
            return input

    class Texts(Recorder):
        def on_text(self, text: str, **kwargs: Any) -> None:
            self.note("text", text, kwargs)

    handler = Texts()
    world.invoke(Talker(), 1, {"callbacks": [handler]})
    assert [what for _, what, _ in handler.heard] == ["thinking"]


def test_what_is_ignored_is_not_called(world: Any) -> None:
    class Deaf(Models, Chains):
        ignore_chat_model = True

    handler = Deaf()
    handler.ignore_chain = True
    world.invoke(ScriptedChatModel(["a"]) | (lambda m: m.text), "hi", {"callbacks": [handler]})
    assert handler.heard == []


def test_a_failing_handler_is_logged_and_changes_nothing(world: Any, caplog: Any) -> None:
    class Broken(BaseCallbackHandler):
        def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
            raise RuntimeError("handler broke")

    with caplog.at_level(logging.ERROR, "headrace"):
        assert world.invoke(double, 2, {"callbacks": [Broken()]}) == 4
    assert "handler broke" in caplog.text


def test_a_handler_may_ask_for_its_errors_to_be_raised(world: Any) -> None:
    class Strict(BaseCallbackHandler):
        raise_error = True

        def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
            raise RuntimeError("not allowed")

    with pytest.raises(RuntimeError, match="not allowed"):
        world.invoke(double, 2, {"callbacks": [Strict()]})


def test_the_failure_of_a_model_is_told(world: Any) -> None:
    handler = Models()
    model = ScriptedChatModel([ModelRateLimitError("slow down")], max_retries=0)
    with pytest.raises(ModelRateLimitError):
        world.invoke(model, "hi", {"callbacks": [handler]})
    assert handler.methods == ["start", "error"]
