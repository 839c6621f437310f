"""What is asked of a model, made into what it takes: data decides, and each change is noted.

The data are the model's profile and the `Wire` of its service. What neither knows is sent as
asked; what is not set is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headrace.chat_models.effort import make_room, plan_effort, ways_of
from headrace.chat_models.notes import Action, Notes
from headrace.chat_models.prompt_caching import SWITCH, why_idle
from headrace.chat_models.settings import Settings, tool_name
from headrace.chat_models.shaping import reasons
from headrace.chat_models.wires import BOUNDS, Limits, Wire, limits_of
from headrace.errors import InputError
from headrace.tools.compiling import compile_schema

EFFORT = "reasoning_effort"
_PARALLEL = "parallel_tool_calls"
# What the caller puts into the body unchecked, and what has rules of its own.
_UNTOUCHED = frozenset({"model", "model_kwargs", "extra_body", _PARALLEL})


def adapt(
    settings: Settings, facts: Mapping[str, Any], wire: Wire, model: str, notes: Notes
) -> Settings:
    """The settings to send, with `notes` of what was changed; the ones given stay as they are."""
    return _Adapter(settings, facts, wire, model, notes).adapted()


@dataclass(slots=True)
class _Adapter:
    """One request's settings on their way to what the model takes."""

    settings: Settings
    facts: Mapping[str, Any]
    wire: Wire
    model: str
    notes: Notes

    def adapted(self) -> Settings:
        asked = dict(self.settings.params)
        for name, default in self.wire.required.items():
            if asked.get(name) is None:
                asked[name] = self.facts.get(BOUNDS.get(name, "")) or default
        if self.settings.stop:
            asked["stop"] = self.settings.stop
        sent = {name: asked[name] for name in asked if name in _UNTOUCHED}
        if EFFORT in asked:  # first, because other parameters may depend on it
            self._keep(sent, EFFORT, self._effort(asked[EFFORT]))
        for name in asked:
            if name == SWITCH:
                self._keep(sent, name, self._cached(asked[name]))
            elif name not in _UNTOUCHED and name != EFFORT:
                self._keep(sent, name, self._fitted(name, asked[name], sent))
        self._widen(sent)
        for name, there in self.wire.names.items():
            if name in sent:
                reason = f"`{self.wire.service}` calls it `{there}`"
                self.notes.revise(name, asked[name], {there: sent[name]}, "renamed", reason)
        stop = tuple(sent.pop("stop", ()))
        ordered = {name: sent[name] for name in asked if name in sent}
        if self.settings.tools or self.settings.response_format or _PARALLEL in ordered:
            self._tools(ordered)
        return replace(self.settings, params=ordered, stop=stop, notes=self.notes)

    @staticmethod
    def _keep(sent: dict[str, Any], name: str, value: Any) -> None:
        if value is not None:
            sent[name] = value
        else:
            sent.pop(name, None)

    def _limits(self, name: str) -> Limits:
        return limits_of(name, self.facts, self.wire, self.model)

    def _fitted(self, name: str, asked: Any, sent: Mapping[str, Any]) -> Any:
        """The value within its limits, or None where it must be left out."""
        limits = self._limits(name)
        if limits.takes is False:
            return self._change(name, asked, None, "left out", limits.reason)
        for other, values in limits.when.items():
            found = sent.get(other, self.facts.get(f"{other}_default"))
            if found is not None and _said(found) not in values:
                told = " or ".join(repr(value) for value in values)
                told = f"with `{other}` = {told}" if told else f"without `{other}`"
                reason = f"`{self.model}` takes it only {told}"
                return self._change(name, asked, None, "left out", reason)
        fitting = limits.fit(asked)
        if fitting == asked:
            return asked
        reason = f"`{self.model}` takes {limits.range}"
        return self._change(name, asked, fitting, "clamped", reason)

    def _change(self, name: str, asked: Any, sent: Any, action: Action, reason: str) -> Any:
        """What is sent in place of `asked`; what is required is never dropped."""
        if name in self.wire.required and self.notes.policy == "drop" and sent is not None:
            self.notes.revise(name, asked, sent, action, reason)
            return sent
        return self.notes.change(name, asked, sent, action, reason)

    def _cached(self, asked: Any) -> Any:
        """The switch for the prompt cache; of no use it is left out, which changes no answer."""
        if not asked or SWITCH in self.wire.takes:
            return asked or None
        self.notes.record(SWITCH, asked, None, "left out", why_idle(self.wire))
        return None

    def _effort(self, asked: Any) -> Any:
        limits = self._limits(EFFORT)
        if limits.takes is False:
            if asked in ("none", 0) and self.facts.get("reasoning_output") is False:
                reason = f"`{self.model}` does not reason"
                self.notes.record(EFFORT, asked, None, "left out", reason)
                return None
            return self.notes.change(EFFORT, asked, None, "left out", limits.reason)
        plan = plan_effort(
            asked, ways_of(self.facts, self.wire.forms, self.wire.levels), self.model
        )
        if plan.reason is None:
            self._spell(asked, plan.sent)
            return plan.sent
        return self._move_effort(asked, plan.sent, plan.reason)

    def _move_effort(self, asked: Any, sent: Any, reason: str) -> Any:
        """An effort other than the asked one, as the policy has it."""
        shown = None if sent is None else self._spelled(sent)
        action: Action = "left out" if sent is None else "translated"
        kept = self.notes.change(EFFORT, asked, shown, action, reason)
        if self.notes.policy == "warn":
            return asked
        return None if kept is None else sent

    def _spelled(self, effort: Any) -> Any:
        keys = self.wire.spell(effort)
        return keys[EFFORT] if keys.keys() == {EFFORT} else keys

    def _spell(self, asked: Any, sent: Any) -> None:
        shown = self._spelled(sent)
        if shown != asked:
            reason = f"`{self.wire.service}` says it so"
            self.notes.revise(EFFORT, asked, shown, "renamed", reason)

    def _widen(self, sent: dict[str, Any]) -> None:
        """Raises `max_tokens` above a budget of reasoning, which counts into it."""
        budget, asked = sent.get(EFFORT), sent.get("max_tokens")
        if (
            not isinstance(budget, int)
            or isinstance(budget, bool)
            or "tokens" not in self.wire.forms
        ):
            return
        if asked is None or asked > budget:
            return
        least = max(int((self.facts.get("reasoning_budget") or (1,))[0] or 1), 1)
        most = self._limits("max_tokens").most
        room = make_room(budget, asked, least=least, limit=None if most is None else int(most))
        if room.max_tokens is None or room.budget is None:
            reason = f"`max_tokens` = {asked} leaves no room for it"
            self._keep(sent, EFFORT, self._move_effort(budget, None, reason))
            return
        reason = f"it must be above the {room.budget} tokens of reasoning"
        if room.max_tokens != asked:
            fitting = self._change("max_tokens", asked, room.max_tokens, "translated", reason)
            self._keep(sent, "max_tokens", fitting)
        if room.budget != budget and self.notes.policy != "warn":
            reason = f"`{self.model}` writes at most {room.max_tokens} tokens, answer included"
            self._keep(sent, EFFORT, self._move_effort(budget, room.budget, reason))

    # Tools and the form of the answer.

    def _tools(self, params: dict[str, Any]) -> None:
        settings, notes = self.settings, self.notes
        tools, choice, form = settings.tools, settings.tool_choice, settings.response_format
        if tools and (limits := self._limits("tools")).takes is False:
            names = [tool_name(tool) for tool in tools]
            if notes.refuse("tools", names, limits.reason, "leave them out"):
                tools, choice = (), None
        if choice not in (None, "auto", "none"):
            limits = self._limits("tool_choice")
            if limits.takes is False:
                tools, choice = self._shown(tools, choice, limits.reason)
            elif self.facts.get("forced_tool_while_reasoning") is False and reasons(
                params, self.facts
            ):
                reason = f"`{self.model}` cannot be made to call a tool while it reasons"
                choice = notes.change("tool_choice", choice, "auto", "translated", reason)
        limits = Limits(None) if form is None else self._limits(form.method)
        if form is not None and limits.takes is False:
            advice = 'use `method="function_calling"` or `"json_mode"`'
            left_out = notes.refuse("response_format", form.method, limits.reason, advice)
            form = None if left_out else form
        self._parallel(params, bool(tools))
        if form is not None and form.schema is not None and form.method == "json_schema":
            form = replace(form, schema=self._compiled(form.schema, "response_format"))
        tools = tuple(self._strict(tool) for tool in tools)
        self.settings = replace(settings, tools=tools, tool_choice=choice, response_format=form)

    def _shown(
        self, tools: tuple[dict[str, Any], ...], choice: Any, reason: str
    ) -> tuple[tuple[dict[str, Any], ...], Any]:
        """Tools and choice where there is no choice on the wire: others than named are hidden."""
        if choice == "any":
            told = f"{reason}; the model chooses itself"
            return tools, self.notes.change("tool_choice", choice, None, "left out", told)
        names = (choice,) if isinstance(choice, str) else choice
        kept = tuple(tool for tool in tools if tool_name(tool) in names)
        told = f"{reason}; it is shown no other tool, and chooses itself"
        if self.notes.policy == "adapt":  # as near as can be: recorded, without a warning
            self.notes.record("tool_choice", choice, None, "translated", told)
            return kept, None
        kept_choice = self.notes.change("tool_choice", choice, None, "left out", told)
        return (tools if kept_choice is not None else kept), kept_choice

    def _strict(self, tool: dict[str, Any]) -> dict[str, Any]:
        if not tool.get("strict") or "parameters" not in tool:
            return tool
        name = tool_name(tool)
        return {**tool, "parameters": self._compiled(tool["parameters"], f"tools.{name}")}

    def _compiled(self, schema: dict[str, Any], name: str) -> dict[str, Any]:
        """A schema as the service takes it; what it is not told is checked in the answer."""
        if self.wire.schemas is None:
            return schema
        try:
            found = compile_schema(schema, self.wire.schemas)
        except InputError as error:
            raise InputError(f"`{name}` for `{self.wire.service}`: {error}") from error
        reason = f"`{self.wire.service}` does not enforce it; it is checked in the answer"
        for loss in found.losses:
            where = ".".join(part for part in (name, loss.at, loss.keyword) if part)
            self.notes.record(where, loss.value, None, "left out", reason)
        return found.schema

    def _parallel(self, params: dict[str, Any], tools: bool) -> None:
        name = _PARALLEL
        asked, able = params.get(name), self.facts.get(name)
        if asked is None:
            return
        limits = self._limits(name)
        if not tools:
            self.notes.record(name, asked, None, "left out", "there are no tools")
            del params[name]
        elif limits.takes is False and not asked and able is False:
            reason = f"`{self.model}` calls one tool at a time"
            self.notes.record(name, asked, None, "left out", reason)
            del params[name]
        elif limits.takes is False or (asked and able is False):
            reason = limits.reason or f"`{self.model}` calls one tool at a time"
            self._keep(params, name, self.notes.change(name, asked, None, "left out", reason))


def _said(value: Any) -> str:
    """A value as the conditions of a profile name it: an effort switched off is `none`."""
    return "none" if value is False or value == 0 else str(value)
