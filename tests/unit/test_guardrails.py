"""Guardrails as AutoML writes them, and the leak nobody but people can know of."""

from __future__ import annotations

import json

import pytest

from services import guardrails
from services.errors import OperationFailedError
from services.local.automl import guardrails as automl

BANK = ("age", "duration", "campaign", "pdays", "poutcome", "y")


def _written(*faults: dict[str, object]) -> bytes:
    return json.dumps({"schema_type": "faults", "faults": list(faults)}).encode()


PASSED = {
    "type": "missing",
    "result": "passed",
    "friendly_type": "Missing values",
    "friendly_result": "None were found.",
    "friendly_parameter_preface": "",
    "friendly_parameters": [],
}
ALERTED = {
    "type": "balance",
    "result": "ALERTED",
    "friendly_type": "Class balancing",
    "friendly_result": "The classes are not balanced.",
    "friendly_parameter_preface": "Accuracy misleads here.",
    "friendly_parameters": [{"Size of the smallest class": 3712}],
}


def test_alerts_come_first_with_what_was_found():
    first, second = guardrails.read(_written(PASSED, ALERTED))

    assert (first.title, first.result, first.alerted) == ("Class balancing", "alerted", True)
    assert first.details == ({"Size of the smallest class": "3712"},)
    assert (second.title, second.alerted) == ("Missing values", False)


def test_a_check_without_friendly_words_is_named_by_its_type():
    (found,) = guardrails.read(_written({"type": "new_check", "result": "done"}))

    assert (found.title, found.description, found.details) == ("new_check", "", ())


def test_what_the_local_search_writes_is_read_as_azures():
    findings = [
        automl.Finding("missing", "Missing values", automl.PASSED, "None were found."),
        automl.Finding(
            "leakage", "Leakage", automl.ALERTED, "One tells all.", ({"Column name": "duration"},)
        ),
    ]

    first, second = guardrails.read(json.dumps(automl.document(findings)).encode())

    assert (first.title, first.alerted, first.details) == (
        "Leakage",
        True,
        ({"Column name": "duration"},),
    )
    assert (second.title, second.result) == ("Missing values", "passed")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"faults": [1]}', b'{"faults": null}'])
def test_another_shape_is_said_to_be_one(content):
    with pytest.raises(OperationFailedError, match="guardrails"):
        guardrails.read(content)


def test_the_call_length_is_named_as_a_leak_of_the_bank_data():
    warning = guardrails.leak(BANK)

    assert warning is not None and "duration" in warning


@pytest.mark.parametrize("columns", [BANK[:1] + BANK[2:], ("duration", "title", "genre"), ()])
def test_other_data_is_not_suspected(columns):
    assert guardrails.leak(columns) is None
