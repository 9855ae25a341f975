"""Why there is nothing to see, and the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from dashboard import formats, reads, scoring_draft, session
from dashboard.components import empty, failures
from dashboard.insights_view import View
from services.app_insights import absence
from services.app_insights.absence import LOOK_BACK, Absence, Evidence, Finding
from services.domain import Deployment, LoadTestState, Panel, TimeWindow
from services.errors import ServiceError

WITHOUT_ASKING = (
    Absence.NO_PERMISSION,
    Absence.NOTHING_DEPLOYED,
    Absence.NOT_DEPLOYED,
    Absence.TELEMETRY_OFF,
)


def show(
    view: View, deployments: Sequence[Deployment], *, error: ServiceError | None = None
) -> None:
    """The first of the reasons that holds, as `absence.why` decides.

    Args:
        error: Why nothing could be asked, where that is so.
    """
    try:
        evidence = _evidence(view, deployments, error)
        _TOLD[absence.why(evidence).reason](view, absence.why(evidence), evidence)
    except ServiceError as failure:
        failures.show(failure)


def _evidence(
    view: View, deployments: Sequence[Deployment], error: ServiceError | None
) -> Evidence:
    """What arrived is asked only where the reason may depend on it."""
    now = datetime.now(UTC)
    known = Evidence(now=now, deployments=deployments, deployment=view.deployment, error=error)
    if error is not None or absence.why(known).reason in WITHOUT_ASKING:
        return known
    telemetry = session.workspace().telemetry
    end = view.window.end
    lately = TimeWindow(start=end - LOOK_BACK, end=end, bin=timedelta(days=1))
    return Evidence(
        now=now,
        deployments=deployments,
        deployment=view.deployment,
        arrivals=absence.arrivals(reads.telemetry(Panel.ARRIVALS, lately).frame),
        sent_at=_sent_at(view, deployments, now),
        arrival_delay=telemetry.arrival_delay,
        sampled_pct=telemetry.sampled_pct,
    )


def _sent_at(view: View, deployments: Sequence[Deployment], now: datetime) -> datetime | None:
    """When the dashboard itself last sent a request that the window should show."""
    named = [
        each.name
        for each in deployments
        if view.deployment in (None, each.name) and each.telemetry_enabled
    ]
    exchanges = [scoring_draft.exchange(name) for name in named]
    sent = [each.answer.sent_at for each in exchanges if each is not None]
    for test in reads.load_tests():
        if test.deployment in named and test.done_count and not test.imported:
            running = test.state is LoadTestState.RUNNING
            sent.append(now if running else test.ended_at or test.created_at)
    return max((each for each in sent if view.window.start <= each <= now), default=None)


def _nothing_deployed(view: View, finding: Finding, evidence: Evidence) -> None:
    empty.show(
        "Nothing is deployed yet, so there is no traffic to show.",
        page="models",
        label="Open Models to deploy one",
    )


def _not_deployed(view: View, finding: Finding, evidence: Evidence) -> None:
    name = formats.plain(view.deployment or "")
    empty.show(f"“{name}” is not deployed, and it had no requests in the {view.span}.")


def _off(view: View, finding: Finding, evidence: Evidence) -> None:
    name = formats.plain(view.deployment or "")
    which = f"on “{name}”" if name else "on every deployment"
    empty.show(
        f"Application Insights is off {which}, so requests leave no trace.",
        page="deployment_health",
        label="Open Deployment health to turn it on",
        icon=":material/toggle_off:",
    )


def _no_traffic(view: View, finding: Finding, evidence: Evidence) -> None:
    last = f" The last one came {_ago(finding, evidence)}." if finding.at else ""
    empty.show(
        f"No requests in the {view.span}.{last} What is scored shows up here within "
        f"{_delay(evidence)}.",
        page="live_scoring",
        label="Open Live scoring to send one",
    )


def _wrong_resource(view: View, finding: Finding, evidence: Evidence) -> None:
    if evidence.error is not None:
        empty.show(
            f"{formats.plain(str(evidence.error))} Give the workspace one that exists, in the "
            "portal, and deploy again.",
            icon=":material/link_off:",
        )
        return
    resource = formats.plain(session.workspace().telemetry.resource)
    empty.show(
        f"Requests were sent {_ago(finding, evidence)}, and none of them reached {resource}. "
        "The deployment may report to another resource: turn its Application Insights off and "
        "on again.",
        page="deployment_health",
        label="Open Deployment health",
        icon=":material/link_off:",
    )


def _not_signed_in(view: View, finding: Finding, evidence: Evidence) -> None:
    empty.show(
        f"{formats.plain(str(evidence.error))} Test the connection on the Settings page; it "
        "names the step in the way.",
        page="settings",
        label="Open Settings",
        icon=":material/lock:",
    )


def _no_permission(view: View, finding: Finding, evidence: Evidence) -> None:
    empty.show(
        f"{formats.plain(str(evidence.error))} Ask for the role Monitoring Reader on the "
        "Application Insights resource, and on the Log Analytics workspace behind it.",
        icon=":material/lock:",
    )


def _not_arrived(view: View, finding: Finding, evidence: Evidence) -> None:
    empty.show(
        f"Requests were sent {_ago(finding, evidence)} and have not arrived yet; it usually "
        f"takes {_delay(evidence)}. Refresh in a moment.",
        icon=":material/hourglass_top:",
    )


def _sampled(view: View, finding: Finding, evidence: Evidence) -> None:
    kept = evidence.sampled_pct
    share = f"{kept:g} % of them" if kept < 100.0 else "only some of them"
    empty.show(
        f"Requests were sent {_ago(finding, evidence)}, but Application Insights keeps {share} "
        "and these were left out. Send more, or turn sampling off in the portal.",
        icon=":material/filter_alt:",
    )


def _ago(finding: Finding, evidence: Evidence) -> str:
    return formats.age(finding.at, now=evidence.now)


def _delay(evidence: Evidence) -> str:
    return "seconds" if evidence.arrival_delay < timedelta(minutes=1) else "a few minutes"


_TOLD: Mapping[Absence, Callable[[View, Finding, Evidence], None]] = MappingProxyType(
    {
        Absence.NOTHING_DEPLOYED: _nothing_deployed,
        Absence.NOT_DEPLOYED: _not_deployed,
        Absence.TELEMETRY_OFF: _off,
        Absence.NO_TRAFFIC: _no_traffic,
        Absence.WRONG_RESOURCE: _wrong_resource,
        Absence.NOT_SIGNED_IN: _not_signed_in,
        Absence.NO_PERMISSION: _no_permission,
        Absence.NOT_ARRIVED_YET: _not_arrived,
        Absence.SAMPLED: _sampled,
    }
)
