"""A conversation with a model: its history, one turn after the other, and talk on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from headrace.callbacks import UsageMetadataCallbackHandler
from headrace.chat_models import Model
from headrace.cli.answer import View
from headrace.cli.ending import told
from headrace.cli.output import is_terminal
from headrace.cli.table import table
from headrace.engine.run import RunnableConfig
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    message_chunk_to_message,
)

HELP = """\
/clear          forgets what was said
/system TEXT    sets the system message; without TEXT there is none
/usage          tokens used so far, by model
/exit           ends, as Ctrl-D does
Ctrl-C stops an answer. A space before a slash sends the line to the model."""


class Conversation:
    """Messages so far, and the usage of all that was asked."""

    def __init__(
        self, model: Model[AIMessage], view: Callable[[], View], system: str | None = None
    ) -> None:
        self._model, self._view, self.system = model, view, system
        self.history: list[BaseMessage] = []
        self._usage = UsageMetadataCallbackHandler()

    def ask(self, text: str) -> None:
        """Shows the answer as it comes, and keeps both. What fails leaves nothing behind.

        Of an answer that Ctrl-C stops, the text so far is kept: it is what was read.
        """
        asked = HumanMessage(text)
        system = [SystemMessage(self.system)] if self.system else []
        view = self._view()
        total, whole = AIMessageChunk(), None
        config: RunnableConfig = {"callbacks": [self._usage]}
        try:
            with self._model.stream([*system, *self.history, asked], config) as chunks:
                for chunk in chunks:
                    assert isinstance(chunk, AIMessageChunk)  # what a chat model streams
                    total += chunk
                    view.show(chunk)
            whole = AIMessage.model_validate(message_chunk_to_message(total))
            self.history += [asked, whole]
        except KeyboardInterrupt:
            if total.text:
                self.history += [asked, AIMessage(total.text)]
            raise
        finally:
            view.end(whole)

    def talk(self, name: str) -> None:
        """Asks what is typed, line by line, until Ctrl-D; errors do not end it."""
        _load_editing()
        _say(f"{name}. Ctrl-D ends, Ctrl-C stops an answer, /help lists commands.")
        going = True
        while going:
            try:
                going = self._turn(_typed())
            except KeyboardInterrupt:
                _say("")
            except Exception as error:  # noqa: BLE001 - an SDK's too: the talk goes on
                _say(told(error))

    def _turn(self, line: str | None) -> bool:
        """Does what one line asks; whether to go on."""
        if line is None:
            return False
        if line.startswith("/"):
            return self._command(*line.partition(" ")[::2])
        if line.strip():
            self.ask(line.strip())
        return True

    def _command(self, name: str, rest: str) -> bool:
        match name:
            case "/exit" | "/quit":
                return False
            case "/clear":
                self.history.clear()
                _say("what was said is forgotten")
            case "/system":
                self.system = rest.strip() or None
                _say("the system message is set" if self.system else "there is no system message")
            case "/usage":
                _say(self._used())
            case "/help":
                _say(HELP)
            case _:
                _say(f"no command {name}; /help lists them, a space before it sends the line")
        return True

    def _used(self) -> str:
        heads = ["MODEL", "INPUT", "OUTPUT", "TOTAL"]
        rows = [
            [
                model,
                *(f"{used[part]:,}" for part in ("input_tokens", "output_tokens", "total_tokens")),
            ]
            for model, used in self._usage.usage_metadata.items()
        ]
        return table(heads, rows, right=heads[1:]) if rows else "no tokens were used"


def _typed() -> str | None:
    """A line from the terminal; None at its end."""
    try:
        if is_terminal(sys.stdout):
            return input("> ")
        print("> ", end="", file=sys.stderr, flush=True)  # answers alone go to a pipe
        return input()
    except EOFError:
        _say("")
        return None


def _load_editing() -> None:
    """Line editing and a history of what was typed, where the system has them."""
    try:
        import_module("readline")
    except ImportError:
        pass


def _say(text: str) -> None:
    print(text, file=sys.stderr)
