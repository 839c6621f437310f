"""What every chat model must do, as tests that any package runs on its own class.

    class TestMyModel(ChatModelConformance):
        wire = MyWire()                                  # your provider's wire, for loopback
        def model_at(self, base_url, **params):
            return MyChatModel(model="m", base_url=base_url, api_key="none-needed", **params)

Needs pytest. Without a `wire`, override `live_model`: what needs a scripted provider is skipped.
"""

from headrace.testing.conformance.answers import AnswerTests
from headrace.testing.conformance.failures import FailureTests
from headrace.testing.conformance.hooks import DEFAULT, EVERY, Served
from headrace.testing.conformance.media import MediaTests
from headrace.testing.conformance.objects import ObjectTests
from headrace.testing.conformance.tooling import ToolTests

__all__ = ["DEFAULT", "EVERY", "ChatModelConformance", "Served"]


class ChatModelConformance(AnswerTests, ToolTests, ObjectTests, MediaTests, FailureTests):
    """All of them; see `hooks.ConformanceHooks` for what a subclass says."""
