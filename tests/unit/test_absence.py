"""Why a chart is empty: each reason, from what is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from services.app_insights import absence
from services.app_insights.absence import Absence, Arrival, Evidence
from services.domain import Deployment, DeploymentState
from services.errors import AccessDeniedError, NotFoundError, UnavailableError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BANK = Deployment(
    name="bank",
    model_id="bank:1",
    state=DeploymentState.HEALTHY,
    scoring_uri=None,
    swagger_uri=None,
    auth_enabled=True,
    telemetry_enabled=True,
    created_at=NOW,
    updated_at=NOW,
)
IRIS = replace(BANK, name="iris")
OFF = replace(BANK, telemetry_enabled=False)
BEFORE = Arrival(deployment="bank", request_count=5, row_count=5, last_seen=NOW - timedelta(days=2))


def minutes(number):
    return NOW - timedelta(minutes=number)


def why(**known):
    evidence = Evidence(
        **{"now": NOW, "deployments": [BANK], "arrival_delay": timedelta(minutes=5), **known}
    )
    return absence.why(evidence)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"error": AccessDeniedError("no")}, Absence.NO_PERMISSION),
        ({"error": NotFoundError("resource", "appi")}, Absence.WRONG_RESOURCE),
        ({"deployments": []}, Absence.NOTHING_DEPLOYED),
        ({"deployment": "gone"}, Absence.NOT_DEPLOYED),
        ({"deployments": [OFF]}, Absence.TELEMETRY_OFF),
        ({"deployments": [OFF, IRIS], "deployment": "bank"}, Absence.TELEMETRY_OFF),
        ({"deployments": [OFF, IRIS]}, Absence.NO_TRAFFIC),
        ({}, Absence.NO_TRAFFIC),
        ({"sent_at": minutes(1)}, Absence.NOT_ARRIVED_YET),
        ({"sent_at": minutes(1), "sampled_pct": 10.0}, Absence.NOT_ARRIVED_YET),
        ({"sent_at": minutes(10)}, Absence.NOT_ARRIVED_YET),
        ({"sent_at": minutes(10), "sampled_pct": 10.0}, Absence.SAMPLED),
        ({"sent_at": minutes(40)}, Absence.WRONG_RESOURCE),
        ({"sent_at": minutes(40), "arrivals": [BEFORE]}, Absence.WRONG_RESOURCE),
        ({"sent_at": minutes(40), "arrivals": [replace(BEFORE, row_count=1)]}, Absence.SAMPLED),
        (
            {
                "sent_at": minutes(40),
                "arrivals": [replace(BEFORE, deployment="iris", row_count=1)],
            },
            Absence.WRONG_RESOURCE,
        ),
        (
            {"sent_at": minutes(40), "arrivals": [replace(BEFORE, last_seen=minutes(39))]},
            Absence.NOT_ARRIVED_YET,
        ),
    ],
)
def test_the_first_reason_that_holds_is_told(known, reason):
    assert why(**known).reason is reason


def test_no_traffic_says_when_the_last_request_came():
    assert why(arrivals=[BEFORE]).at == BEFORE.last_seen
    assert why(arrivals=[replace(BEFORE, deployment="iris")]).at is None


def test_what_was_sent_says_when():
    assert why(sent_at=minutes(1)).at == minutes(1)


def test_an_outage_is_no_reason():
    with pytest.raises(UnavailableError, match="out of order"):
        why(error=UnavailableError("Telemetry is out of order."))


def test_arrivals_are_read_from_the_panels_rows():
    frame = pd.DataFrame(
        {
            "service": ["bank"],
            "requests": [10],
            "rows": [2],
            "last_seen": [pd.Timestamp("2026-11-22T11:00:00Z")],
        }
    )

    (arrival,) = absence.arrivals(frame)

    assert arrival.sampled
    assert arrival.last_seen == NOW - timedelta(hours=1)
