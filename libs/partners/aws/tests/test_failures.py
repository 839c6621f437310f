"""Errors of Bedrock, of boto3 and of the connection, as headrace's."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as sdk  # type: ignore[import-untyped]  # botocore ships no types
from urllib3 import exceptions as http

from headrace import errors
from headrace_aws.client import sdk_error
from headrace_aws.failures import failure


def refused(status: int, code: str, message: str = "no", **more: Any) -> Any:
    about = {
        "HTTPStatusCode": status,
        "HTTPHeaders": {"retry-after": "7"},
        "RequestId": "r-1",
    }
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": about, **more}
    return sdk_error(sdk.ClientError(said, "Converse"), "bedrock", begun=False)


@pytest.mark.parametrize(
    ("status", "code", "kind", "again"),
    [
        (429, "ThrottlingException", errors.ModelRateLimitError, True),
        (400, "ServiceQuotaExceededException", errors.ModelRateLimitError, True),
        (429, "ModelNotReadyException", errors.ModelAPIError, True),
        (424, "ModelErrorException", errors.ModelAPIError, True),
        (408, "ModelTimeoutException", errors.ModelTimeoutError, True),
        (500, "InternalServerException", errors.ModelAPIError, True),
        (503, "ServiceUnavailableException", errors.ModelAPIError, True),
        (400, "ValidationException", errors.ModelInvalidRequestError, False),
        (403, "AccessDeniedException", errors.ModelPermissionDeniedError, False),
        (404, "ResourceNotFoundException", errors.ModelNotFoundError, False),
        (403, "ExpiredTokenException", errors.ModelAuthenticationError, False),
        (403, "UnrecognizedClientException", errors.ModelAuthenticationError, False),
        (403, "InvalidSignatureException", errors.ModelAuthenticationError, False),
        (418, "418", errors.ModelInvalidRequestError, False),
    ],
)
def test_refusals_are_told_by_their_names(status: int, code: str, kind: Any, again: bool) -> None:
    error = refused(status, code)
    assert type(error) is kind
    assert (error.status, error.request_id, error.retry_after) == (status, "r-1", 7.0)
    assert error.code == (None if code.isdecimal() else code)
    assert error.is_retryable is again


@pytest.mark.parametrize(
    "message",
    [
        "Input is too long for requested model.",
        "prompt is too long: 208310 tokens > 200000 maximum",
        "Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
        "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "This model's maximum context length is 128000 tokens.",
    ],
)
def test_a_conversation_that_is_too_long_is_told(message: str) -> None:
    error = refused(400, "ValidationException", message)
    assert type(error) is errors.ContextOverflowError
    assert error.status == 400


def test_an_unknown_model_is_not_found() -> None:
    error = refused(400, "ValidationException", "The provided model identifier is invalid.")
    assert type(error) is errors.ModelNotFoundError


def test_a_model_that_needs_an_inference_profile_says_so() -> None:
    said = "Invocation of model ID x with on-demand throughput isn't supported."
    assert "name an inference profile" in str(refused(400, "ValidationException", said))


def test_a_refusal_without_a_word_is_told_by_its_status() -> None:
    assert type(failure(503, None, "")) is errors.ModelAPIError


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (sdk.EndpointConnectionError(endpoint_url="u"), errors.ModelConnectionError),
        (sdk.ConnectTimeoutError(endpoint_url="u"), errors.ModelTimeoutError),
        (sdk.ReadTimeoutError(endpoint_url="u"), errors.ModelTimeoutError),
        (sdk.SSLError(endpoint_url="u", error="e"), errors.ModelConnectionError),
        (sdk.ProxyConnectionError(proxy_url="u"), errors.ModelConnectionError),
        (sdk.NoCredentialsError(), errors.MissingCredentialError),
        (sdk.NoRegionError(), errors.ConfigurationError),
        (sdk.ProfileNotFound(profile="p"), errors.ConfigurationError),
        (sdk.UnauthorizedSSOTokenError(), errors.ModelAuthenticationError),
        (sdk.ParamValidationError(report="r"), errors.InputError),
        (http.ProtocolError("broken"), errors.StreamInterruptedError),
    ],
)
def test_errors_of_boto3_stand_in_our_tree(raised: Any, kind: Any) -> None:
    assert type(sdk_error(raised, "bedrock", begun=False)) is kind


def test_a_connection_that_closes_in_an_answer_is_an_interruption() -> None:
    raised = sdk.ConnectionClosedError(endpoint_url="u")
    assert type(sdk_error(raised, "h", begun=True)) is errors.StreamInterruptedError
    assert type(sdk_error(raised, "h", begun=False)) is errors.ModelConnectionError


def test_errors_that_are_nobodys_pass() -> None:
    bug = KeyError("x")
    assert sdk_error(bug, "h", begun=False) is bug
