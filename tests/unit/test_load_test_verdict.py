"""Thresholds: what passes, what fails and by which rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.domain import LoadTest
from services.errors import InvalidRequestError
from services.load_test_rules import Thresholds, check_confirmed, loopback
from services.load_test_verdict import Outcome, judge
from services.local.load_tests import LocalLoadTests
from services.local.store import Store
from tests.recorded import load_tests


@pytest.fixture
def test_of(tmp_path: Path):
    store = Store(tmp_path / "workspace.db")

    def test_of(*, p95_ms: float = 250.0, **changes) -> LoadTest:
        test = LocalLoadTests(tmp_path, store).get(load_tests.finished(store, **changes))
        curve = {**test.report.percentiles_ms, 95: p95_ms}
        return replace(test, report=replace(test.report, percentiles_ms=curve))

    return test_of


def test_p95_at_the_limit_passes_and_one_millisecond_more_names_the_rule(test_of):
    limit = Thresholds(p95_ms=250.0)

    assert judge(test_of(), limit).outcome is Outcome.PASS
    verdict = judge(test_of(p95_ms=251.0), limit)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("p95 is 251 ms; the limit is 250 ms",)


def test_too_many_failures_fail(test_of):
    test = test_of(requests=400, result_codes={"200": 392, "503": 8})

    assert judge(test, Thresholds(failure_pct=2.0)).outcome is Outcome.PASS
    assert judge(test, Thresholds(failure_pct=1.5)).reasons == ("2 % failed; the limit is 1.5 %",)


def test_too_little_throughput_fails(test_of):
    test = test_of()
    rate = test.report.requests_per_s

    assert judge(test, Thresholds(requests_per_s=rate)).outcome is Outcome.PASS
    (reason,) = judge(test, Thresholds(requests_per_s=rate + 1)).reasons
    assert "requests/s" in reason


def test_every_broken_rule_is_named(test_of):
    test = test_of(p95_ms=300, result_codes={"200": 300, "503": 100})

    assert len(judge(test, Thresholds(p95_ms=250, failure_pct=1, requests_per_s=1e6)).reasons) == 3


def test_a_sample_too_small_for_p95_is_not_judged_by_it(test_of):
    verdict = judge(test_of(requests=58, p95_ms=9_000), Thresholds(p95_ms=250))

    assert verdict.outcome is Outcome.UNDECIDED
    assert "58 samples" in verdict.reasons[0]


def test_nothing_asked_for_is_no_verdict(test_of):
    assert judge(test_of(), Thresholds()) is None


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        ("http://127.0.0.1:5001/score", True),
        ("http://[::1]:5001/score", True),
        ("http://localhost/score", True),
        ("http://bank.westeurope.azurecontainer.io/score", False),
        ("http://127.0.0.1.example.org/score", False),
        ("http://10.0.0.7/score", False),
        (None, False),
    ],
)
def test_what_is_on_this_machine(uri, here):
    assert loopback(uri) is here


def test_what_is_not_on_this_machine_is_loaded_only_when_its_name_was_typed():
    uri = "http://bank.westeurope.azurecontainer.io/score"

    with pytest.raises(InvalidRequestError, match="type its name"):
        check_confirmed("bank", uri, "")
    check_confirmed("bank", uri, "bank")
    check_confirmed("bank", "http://127.0.0.1:5001/score", "")
