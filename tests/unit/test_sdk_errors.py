"""Whatever the SDK and its transports raise crosses as one of ours, in one clean sentence."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest

from services.azure import sdk
from services.azure.sdk_errors import MESSAGE_LIMIT, retold, translated
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    SignInError,
    UnavailableError,
)

sdk.prepare()

MODULES = (
    "azureml.exceptions",
    "azureml._common.exceptions",
    "azureml._restclient.exceptions",
    "azureml._restclient.models.error_response",
    "azureml.pipeline.core._restclients.aeva.models",
    "msrest.exceptions",
    "azure.core.exceptions",
    "azure.identity",
    "requests.exceptions",
    "urllib3.exceptions",
)


def _classes() -> list[type[Exception]]:
    found = {
        value
        for name in MODULES
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type)
        and issubclass(value, Exception)
        and not issubclass(value, Warning)
    }
    return sorted(found, key=lambda each: f"{each.__module__}.{each.__qualname__}")


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_no_exception_class_escapes(kind):
    error = kind.__new__(kind)  # each wants other arguments; what crosses must not depend on them
    Exception.__init__(error, "It went wrong.")

    with pytest.raises(ServiceError) as crossed, translated("deployment", "bank"):
        raise error

    assert crossed.value.__cause__ is error
    assert 0 < len(str(crossed.value)) <= MESSAGE_LIMIT + 100


def test_there_are_many_of_them():
    names = {each.__name__ for each in _classes()}

    assert len(names) > 60
    assert names >= {"WebserviceException", "ServiceException", "ClientRequestError", "RetryError"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, SignInError),
        (403, AccessDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (412, ConflictError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_the_status_decides_wherever_it_is_kept(status, kind):
    places = (
        {"status_code": status},
        {"response": SimpleNamespace(status_code=status)},
        {"error": SimpleNamespace(status_code=status)},
    )
    for attributes in places:
        error = RuntimeError("It went wrong.")
        error.__dict__.update(attributes)

        assert type(retold(error, "deployment", "bank")) is kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            "Authentication failed: AADSTS7000215: Invalid client secret provided.",
            SignInError,
        ),
        ("Authentication failed: Unable to get authority configuration for …", SignInError),
        ("Authentication failed: HTTP Error: 503", UnavailableError),
        ("Authentication failed: ('Connection aborted.', RemoteDisconnected())", UnavailableError),
    ],
)
def test_a_sign_in_that_is_down_is_not_a_wrong_secret(said, kind):
    from azure.core.exceptions import ClientAuthenticationError

    assert type(retold(ClientAuthenticationError(said), "model")) is kind


def test_nobody_signed_in_at_the_command_line_is_no_outage():
    from azure.identity import CredentialUnavailableError

    error = CredentialUnavailableError("Please run 'az login' to set up an account")

    assert "az login" in str(retold(error, "model"))
    assert type(retold(error, "model")) is SignInError


def test_an_error_whose_own_text_fails_is_told_all_the_same():
    class SilentError(Exception):
        def __str__(self) -> str:
            raise TypeError("'NoneType' object is not iterable")

    assert "deployments" in str(retold(SilentError(), "deployment"))


def test_headers_and_tokens_do_not_cross():
    text = (
        "Received bad response from Model Management Service:\nResponse Code: 400\nHeaders: "
        '{"Authorization": "Bearer eyJ0"}\nContent: b"..."'
    )

    said = str(retold(RuntimeError(text), "deployment", "bank"))

    assert "eyJ0" not in said
    assert "Headers" not in said


@pytest.mark.parametrize("secret", ["Bearer eyJ0eXAi", "sig=abc%2Fdef", "AccountKey=Zm9v"])
def test_secrets_inside_a_sentence_are_cut(secret):
    said = str(retold(RuntimeError(f"Refused {secret} today"), "dataset", "bank"))

    assert secret.split("=")[-1].split(" ")[-1] not in said


def test_our_own_errors_and_an_interruption_pass():
    with pytest.raises(KeyboardInterrupt), translated("run"):
        raise KeyboardInterrupt
    with pytest.raises(ConflictError), translated("run"):
        raise ConflictError("Busy.")


def test_an_answer_that_did_not_come_is_told_from_a_peer_that_is_not_there():
    import requests
    from msrest.exceptions import ClientRequestError

    late = ClientRequestError("Error occurred in request.", requests.ReadTimeout("read timed out"))
    gone = ClientRequestError("Error occurred in request.", requests.ConnectionError("refused"))

    assert "did not answer in time" in str(retold(late, "model"))
    assert "could not be reached" in str(retold(gone, "model"))
