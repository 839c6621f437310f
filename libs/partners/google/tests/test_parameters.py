"""Each constructor parameter, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from covering import untested
from google_said import GEMINI_2, GEMINI_3, encoded, settings
from google_server import google

from headrace.errors import InputError
from headrace.messages import HumanMessage
from headrace_google import ChatGoogleGenerativeAI, ChatGoogleVertexAI
from headrace_google.encode import encode

TOOL = {"name": "look", "description": "Looks.", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}

# Parameter, value, where it stands in the body, and as what.
SENT: list[tuple[str, Any, str, Any]] = [
    ("temperature", 0.5, "generationConfig.temperature", 0.5),
    ("top_p", 0.9, "generationConfig.topP", 0.9),
    ("top_k", 40, "generationConfig.topK", 40),
    ("max_tokens", 100, "generationConfig.maxOutputTokens", 100),
    ("max_output_tokens", 100, "generationConfig.maxOutputTokens", 100),
    ("stop", ["END"], "generationConfig.stopSequences", ["END"]),
    ("stop_sequences", ["END"], "generationConfig.stopSequences", ["END"]),
    ("n", 2, "generationConfig.candidateCount", 2),
    ("candidate_count", 2, "generationConfig.candidateCount", 2),
    ("seed", 7, "generationConfig.seed", 7),
    ("presence_penalty", 0.5, "generationConfig.presencePenalty", 0.5),
    ("frequency_penalty", -0.5, "generationConfig.frequencyPenalty", -0.5),
    ("logprobs", True, "generationConfig.responseLogprobs", True),
    ("response_logprobs", True, "generationConfig.responseLogprobs", True),
    ("top_logprobs", 3, "generationConfig.logprobs", 3),
    ("top_logprobs", 3, "generationConfig.responseLogprobs", True),
    ("include_thoughts", True, "generationConfig.thinkingConfig.includeThoughts", True),
    ("thinking_budget", 2048, "generationConfig.thinkingConfig.thinkingBudget", 2048),
    ("reasoning_effort", "low", "generationConfig.thinkingConfig.thinkingBudget", 1024),
    ("safety_settings", {"HARM_CATEGORY_HARASSMENT": "OFF"}, "safetySettings",
     [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]),
    ("response_modalities", ["text", "IMAGE"], "generationConfig.responseModalities",
     ["TEXT", "IMAGE"]),
    ("image_config", {"aspect_ratio": "16:9"}, "generationConfig.imageConfig.aspectRatio", "16:9"),
    ("speech_config", {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
     "generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName", "Kore"),
    ("media_resolution", "low", "generationConfig.mediaResolution", "MEDIA_RESOLUTION_LOW"),
    ("media_resolution", "MEDIA_RESOLUTION_HIGH", "generationConfig.mediaResolution",
     "MEDIA_RESOLUTION_HIGH"),
    ("response_mime_type", "text/x.enum", "generationConfig.responseMimeType", "text/x.enum"),
    ("response_schema", SCHEMA, "generationConfig.responseJsonSchema", SCHEMA),
    ("response_schema", SCHEMA, "generationConfig.responseMimeType", "application/json"),
    ("tool_config", {"retrieval_config": {"lat_lng": {"latitude": 1, "longitude": 2}}},
     "toolConfig.retrievalConfig.latLng.latitude", 1),
    ("cached_content", "cachedContents/a", "cachedContent", "cachedContents/a"),
    ("service_tier", "flex", "serviceTier", "flex"),
    ("store", False, "store", False),
    ("model_kwargs", {"responseLogprobs": True}, "generationConfig.responseLogprobs", True),
    ("extra_body", {"generationConfig": {"newField": 1}}, "generationConfig.newField", 1),
]  # fmt: skip
# Those of Vertex AI alone.
SENT_TO_VERTEX: list[tuple[str, Any, str, Any]] = [
    ("labels", {"team_name": "a"}, "labels", {"team_name": "a"}),
    ("audio_timestamp", True, "generationConfig.audioTimestamp", True),
    ("model_armor_config", {"prompt_template_name": "t"}, "modelArmorConfig.promptTemplateName",
     "t"),
]  # fmt: skip


def found(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[step]
    return body


@pytest.mark.parametrize(("name", "value", "path", "sent"), SENT, ids=lambda v: str(v)[:40])
def test_each_parameter_reaches_the_wire(name: str, value: Any, path: str, sent: Any) -> None:
    model = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k", **{name: value})
    assert found(model.preflight("hi").request, path) == sent


@pytest.mark.parametrize(("name", "value", "path", "sent"), SENT_TO_VERTEX)
def test_parameters_of_vertex_ai_reach_it(name: str, value: Any, path: str, sent: Any) -> None:
    model = ChatGoogleVertexAI(model=GEMINI_2, api_key="k", **{name: value})
    assert found(model.preflight("hi").request, path) == sent


@pytest.mark.parametrize("name", [row[0] for row in SENT_TO_VERTEX])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_gemini_api_is_not_told_what_only_vertex_ai_takes(name: str) -> None:
    value = next(row[1] for row in SENT_TO_VERTEX if row[0] == name)
    flight = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k", **{name: value}).preflight("hi")
    assert "generationConfig" not in flight.request
    assert [note["name"] for note in flight.adapted] == [name]


def test_no_parameter_is_without_a_test() -> None:
    places = "libs/partners/google/tests/test_places.py"
    held: dict[Any, list[str]] = {
        test_whether_calls_are_parallel_cannot_be_said: ["parallel_tool_calls"],
        places: ["api_version", "vertexai", "project", "location", "credentials"],
        f"{places}::test_the_callers_own_http_client_is_used_and_left_open": [
            "http_client", "http_async_client",
        ],
        f"{places}::test_arguments_of_the_http_client_reach_it": ["client_args"],
    }  # fmt: skip
    rows = [row[0] for row in (*SENT, *SENT_TO_VERTEX)]
    assert untested(ChatGoogleGenerativeAI, rows, held) == set()
    assert untested(ChatGoogleVertexAI, rows, held) == set()


def test_what_is_not_set_is_not_sent() -> None:
    sent = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k").preflight("hi").request
    assert sent == {
        "model": f"models/{GEMINI_2}", "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (GEMINI_2, "none", {"thinkingBudget": 0}),
        (GEMINI_2, "high", {"thinkingBudget": 24576}),
        (GEMINI_2, 4096, {"thinkingBudget": 4096}),
        (GEMINI_2, True, {"thinkingBudget": -1}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (GEMINI_3, "low", {"thinkingLevel": "LOW"}),
        (GEMINI_3, "xhigh", {"thinkingLevel": "HIGH"}),
        (GEMINI_3, "none", {"thinkingLevel": "MINIMAL"}),
        (GEMINI_3, 1000, {"thinkingLevel": "LOW"}),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW"}),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_effort_is_a_budget_before_gemini_3_and_a_level_since(
    model: str, effort: Any, sent: Any
) -> None:
    made = ChatGoogleGenerativeAI(model=model, api_key="k", reasoning_effort=effort)
    assert made.preflight("hi").request["generationConfig"]["thinkingConfig"] == sent


@pytest.mark.parametrize(
    ("given", "effort"),
    [({"thinking_budget": 0}, "none"), ({"thinking_budget": -1}, "on"),
     ({"thinking_budget": 99}, 99), ({"thinking_level": "HIGH"}, "high")],
)  # fmt: skip
def test_the_providers_own_names_mean_an_effort(given: Any, effort: Any) -> None:
    made: Any = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k", **given)
    assert made.reasoning_effort == effort


def test_a_budget_and_a_level_contradict_each_other() -> None:
    both: Any = {"thinking_budget": 1, "thinking_level": "low"}
    with pytest.raises(InputError, match="either"):
        ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k", **both)


def test_a_bound_of_the_answer_stays_above_the_thoughts() -> None:
    made = ChatGoogleGenerativeAI(
        model=GEMINI_2, api_key="k", max_tokens=500, reasoning_effort=1024
    )
    flight = made.preflight("hi")
    config = flight.request["generationConfig"]
    assert config["maxOutputTokens"] == 1524
    assert config["thinkingConfig"] == {"thinkingBudget": 1024}


# Tools.


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None), ("auto", {"mode": "AUTO"}), ("none", {"mode": "NONE"}),
        ("any", {"mode": "ANY"}), ("look", {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        (("look", "see"), {"mode": "ANY", "allowedFunctionNames": ["look", "see"]}),
    ],
)  # fmt: skip
def test_a_choice_is_a_mode_of_function_calling(choice: Any, sent: Any) -> None:
    body = encoded("hi", tools=[TOOL, {**TOOL, "name": "see"}], choice=choice)
    assert body.get("toolConfig", {}).get("functionCallingConfig") == sent


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whether_calls_are_parallel_cannot_be_said() -> None:
    model = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k")
    flight = model.bind_tools([TOOL], parallel_tool_calls=False).preflight("hi")
    assert flight.request.keys() == {"model", "contents", "tools"}
    assert [note["name"] for note in flight.adapted] == ["parallel_tool_calls"]


def test_a_strict_tool_asks_for_validated_calls() -> None:
    body = encoded("hi", tools=[{**TOOL, "strict": True}])
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    forced = encoded("hi", tools=[{**TOOL, "strict": True}], choice="any")
    assert forced["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_functions_are_declared_with_their_json_schema() -> None:
    (one,) = encoded("hi", tools=[TOOL, {"name": "bare", "description": "", "parameters": {}}])[
        "tools"
    ]
    assert one == {
        "functionDeclarations": [
            {"name": "look", "description": "Looks.", "parametersJsonSchema": TOOL["parameters"]},
            {"name": "bare", "description": ""},
        ]
    }


@pytest.mark.parametrize(
    "tool",
    [{"type": "google_search"}, {"google_search": {}}, {"googleSearch": {}},
     {"type": "google_search", "google_search": {}}],
)  # fmt: skip
def test_a_tool_of_the_service_may_be_spelled_as_people_do(tool: Any) -> None:
    model = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k").bind_tools([tool])
    assert model.preflight("hi").request["tools"] == [{"googleSearch": {}}]


def test_options_of_a_server_tool_are_spelled_as_the_wire_does() -> None:
    stores = {"type": "file_search", "file_search_store_names": ["s"]}
    assert encoded("hi", tools=[stores])["tools"] == [
        {"fileSearch": {"fileSearchStoreNames": ["s"]}}
    ]


@pytest.mark.parametrize(
    ("model", "provider", "shown"),
    [(GEMINI_3, "google_genai", True), (GEMINI_2, "google_genai", None),
     (GEMINI_3, "google_vertexai", None)],
)  # fmt: skip
def test_functions_beside_a_search_ask_for_its_calls_to_be_shown(
    model: str, provider: str, shown: Any
) -> None:
    body = encode(
        [HumanMessage("hi")], settings(model, [TOOL, {"type": "google_search"}]), provider
    )
    assert body.get("toolConfig", {}).get("includeServerSideToolInvocations") is shown
    assert [list(tool) for tool in body["tools"]] == [["googleSearch"], ["functionDeclarations"]]


def test_what_a_cached_content_holds_is_not_sent_beside_it() -> None:
    talk = [("system", "Be brief."), ("user", "hi")]
    body = encoded(talk, tools=[TOOL], cached_content="cachedContents/a")
    assert not body.keys() & {"systemInstruction", "tools", "toolConfig"}


# Objects.


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_an_object_is_asked_for_by_each_method(method: Any) -> None:
    schema = {"title": "Out", **SCHEMA, "required": ["a"]}
    model = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k")
    body = model.with_structured_output(schema, method=method).preflight("hi").request
    config = body.get("generationConfig", {})
    if method == "function_calling":
        assert body["tools"][0]["functionDeclarations"][0]["name"] == "Out"
        assert body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"
        return
    assert config["responseMimeType"] == "application/json"
    assert ("responseJsonSchema" in config) == (method == "json_schema")


def test_headers_of_the_caller_are_sent() -> None:
    with google() as server:
        ChatGoogleGenerativeAI(
            model="m", api_key="k", base_url=server.url, default_headers={"x-mine": "1"}
        ).invoke("hi")
    assert server.last["headers"]["x-mine"] == "1"
    assert server.last["headers"]["x-goog-api-client"].startswith("google-genai-sdk/")
