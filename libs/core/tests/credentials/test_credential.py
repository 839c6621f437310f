from __future__ import annotations

import copy
import json
import pickle
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from headrace import init_chat_model
from headrace.credentials import (
    Credential,
    EnvReference,
    credential_from_dict,
    credential_schemas,
)
from headrace.errors import InputError, MissingCredentialError


def test_a_value_comes_from_argument_credential_environment_default_in_this_order(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind().explain()["base_url"]["source"] == "default"
    monkeypatch.setenv("ACME_URL", "https://env.test")
    assert kind().resolve().values["base_url"] == "https://env.test"
    own = kind(base_url="https://own.test")
    assert own.resolve().values["base_url"] == "https://own.test"
    assert own.resolve(base_url="https://given.test").values["base_url"] == "https://given.test"


def test_the_environment_is_read_anew_in_the_order_of_the_variables(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = kind()
    monkeypatch.setenv("ACME_TOKEN", "second")
    assert credential.resolve().values["api_key"] == "second"
    monkeypatch.setenv("ACME_API_KEY", "first")
    assert credential.resolve().values["api_key"] == "first"


def test_an_empty_value_is_no_value(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "")
    monkeypatch.setenv("ACME_TOKEN", "second")
    assert kind(api_key="").resolve(api_key=SecretStr("")).values["api_key"] == "second"


def test_a_reference_is_looked_up_there_and_nowhere_else(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = kind(api_key={"env": "MY_ACME"})
    monkeypatch.setenv("ACME_API_KEY", "another account's")
    found = credential.resolve()
    assert found.origins["api_key"] == {"source": "missing", "variable": "MY_ACME"}
    with pytest.raises(MissingCredentialError, match="`MY_ACME`"):
        found.require("api_key", "acme")
    monkeypatch.setenv("MY_ACME", "mine")
    assert credential.resolve().values["api_key"] == "mine"


def test_a_missing_key_is_told_with_the_variables_it_was_looked_for_in(kind: Any) -> None:
    with pytest.raises(MissingCredentialError, match="`ACME_API_KEY` or `ACME_TOKEN`"):
        kind().resolve().require("api_key", "acme")


def test_explain_says_where_from_and_shows_no_secret(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "sk-hidden")
    credential = kind(seal="s-hidden", region="eu")
    told = credential.explain(base_url="https://user:pw@given.test")
    assert told["api_key"] == {"source": "environment", "variable": "ACME_API_KEY"}
    assert told["seal"] == {"source": "credential"}
    assert told["region"] == {"source": "credential", "value": "eu"}
    assert told["base_url"] == {"source": "argument", "value": "https://***@given.test"}
    assert "hidden" not in json.dumps(told)


def test_an_unknown_field_is_an_error_with_the_nearest(kind: Any) -> None:
    with pytest.raises(InputError, match="no field `apikey` \\(did you mean `api_key`"):
        kind(apikey="k")


def test_a_wrong_value_is_told_without_the_value(kind: Any) -> None:
    with pytest.raises(InputError, match="`region`") as caught:
        kind(region=["sk-secret"])
    assert "sk-secret" not in str(caught.value)


def test_a_dump_holds_references_and_says_what_it_left_out(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.warns(UserWarning, match="`api_key` .*a reference to ACME_API_KEY"):
        dump = kind(api_key="sk-hidden", region="eu").model_dump(exclude_none=True)
    assert dump == {
        "type": "acme_credential", "api_key": {"env": "ACME_API_KEY"}, "region": "eu",
    }  # fmt: skip
    monkeypatch.setenv("ACME_API_KEY", "sk-hidden")
    assert credential_from_dict(dump).resolve().values["api_key"] == "sk-hidden"


def test_a_secret_without_a_variable_is_lost_and_said_to_be(kind: Any) -> None:
    with pytest.warns(UserWarning, match="`seal` .* it is lost"):
        assert kind(seal=lambda: "s").model_dump()["seal"] is None


def test_a_dump_of_references_is_silent_and_comes_back_equal(kind: Any) -> None:
    credential = kind(api_key={"env": "MY_ACME"}, name="mine", id="1")
    data = json.loads(credential.model_dump_json())
    assert data["api_key"] == {"env": "MY_ACME"}
    assert credential_from_dict(data) == credential


def test_a_pickle_holds_references(kind: Any) -> None:
    blob = pickle.dumps(Holder(kind(api_key="sk-hidden", seal="s-hidden")))
    assert b"hidden" not in blob
    back = pickle.loads(blob).credential
    assert (back.api_key, back.seal) == (EnvReference(env="ACME_API_KEY"), None)


class Holder:
    def __init__(self, credential: Credential) -> None:
        self.credential = credential


def test_a_secret_is_in_no_repr(kind: Any) -> None:
    credential = kind(api_key="sk-hidden", seal="s-hidden")
    assert "hidden" not in f"{credential!r} {credential} {vars(credential)}"
    assert copy.deepcopy(credential) is credential


def test_the_type_decides_the_kind_that_is_loaded(kind: Any) -> None:
    assert isinstance(credential_from_dict({"type": "acme_credential"}), kind)
    with pytest.raises(InputError, match="did you mean `acme_credential`"):
        credential_from_dict({"type": "acme_credentials"})
    with pytest.raises(InputError, match="has a `type`"):
        credential_from_dict({"api_key": "k"})


def test_a_schema_is_a_form_whose_secrets_are_passwords() -> None:
    (schema,) = credential_schemas().values()
    json.dumps(schema)
    assert schema["properties"]["type"]["const"] == "acme_credential"
    assert schema["additionalProperties"] is False
    key, reference, _null = schema["properties"]["api_key"]["anyOf"]
    assert key == {"type": "string", "format": "password", "writeOnly": True}
    assert reference["required"] == ["env"]


def test_a_credential_makes_models_that_ask_with_it(world: Any, kind: Any) -> None:
    model = kind(api_key="k1", base_url="https://a.test").chat_model("large", temperature=0)
    assert world.invoke(model, "hi").text == "k1 at https://a.test"
    assert model.temperature == 0
    over = kind(api_key="k1").chat_model("large", api_key="k2")
    assert world.invoke(over, "hi").text == "k2 at https://api.acme.test/v1"


def test_a_model_takes_a_credential_as_a_dict_too(world: Any) -> None:
    given = {"type": "acme_credential", "api_key": "k", "base_url": "https://a.test"}
    model = init_chat_model("acme:large", credential=given)
    assert world.invoke(model, "hi").text == "k at https://a.test"


def test_a_model_pickles_with_its_credential_as_a_reference(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = kind(api_key="sk-hidden").chat_model("large")
    state = model.__getstate__()["__dict__"]
    assert b"hidden" not in pickle.dumps(state["credential"])
    reference = kind().chat_model("large", api_key={"env": "MY_ACME"})
    assert reference.__getstate__()["__dict__"]["api_key"] == EnvReference(env="MY_ACME")


def test_a_credential_is_not_configurable_unless_it_is_named(world: Any, kind: Any) -> None:
    model = init_chat_model("acme:large", credential=kind(), configurable_fields="any")
    with pytest.raises(InputError, match="`credential` is not configurable"):
        world.invoke(model, "x", {"configurable": {"credential": kind(api_key="other")}})


def test_a_kind_without_a_type_is_no_class() -> None:
    with pytest.raises(TypeError, match='type: Literal\\["x_credential"\\]'):

        class Nameless(Credential):
            provider: ClassVar[str] = "x"
