"""Incidents, channels, bands and probes as the watcher would have left them.

alerts.incident(workspace, "run_failed", cause="experiment/other")
alerts.incident(workspace, "p95", resolved=True)
alerts.month(workspace)                      # a bit of everything, for pictures
alerts.probed(workspace, "bank", "ooxooooxoo")
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.alerts.incidents import Decision
from services.alerts.records import (
    Band,
    Channel,
    ChannelKind,
    Incident,
    Probe,
    ProbeResult,
    QuietHours,
)
from services.alerts.rules import CATALOG
from services.local.alert_outbox import Outbox
from services.local.clock import utc_now
from services.local.workspace import LocalWorkspace


def incident(
    workspace: LocalWorkspace,
    rule: str = "run_failed",
    *,
    cause: str = "experiment/other",
    title: str = "Run 1 of other failed",
    detail: str = "The search ran out of memory.",
    page: str = "training_runs",
    address: dict[str, str] | None = None,
    opened_at: datetime | None = None,
    resolved: bool = False,
) -> Incident:
    """One incident, told to the channels that are there."""
    opened = opened_at or utc_now() - timedelta(minutes=12)
    made = Incident(
        id=f"inc-{cause.replace('/', '-')}-{opened:%H%M%S}",
        rule=rule,
        cause=cause,
        severity=CATALOG[rule].severity,
        title=title,
        detail=detail,
        page=page,
        address=address or {},
        opened_at=opened,
    )
    outbox = Outbox(workspace.store)
    outbox.apply(Decision(opened=(made,)), QuietHours(), now=opened)
    if resolved:
        ended = opened + timedelta(minutes=7)
        over = Incident(
            **{name: getattr(made, name) for name in made.__slots__}
            | {"resolved_at": ended, "resolution": "It is over, after 7 min."}
        )
        outbox.apply(Decision(resolved=(over,)), QuietHours(), now=ended)
    return made


def webhook(workspace: LocalWorkspace, address: str, **settings: object) -> Channel:
    return workspace.alerts.save_channel(
        Channel(id="", name="Team", kind=ChannelKind.WEBHOOK, **settings),  # type: ignore[arg-type]
        secret=address,
    )


def probed(
    workspace: LocalWorkspace,
    deployment: str,
    outcomes: str,
    *,
    reason: str = "The deployment refused the connection; its server is not running.",
    interval_s: int = 60,
    now: datetime | None = None,
) -> None:
    """One probe a minute up to now: ``o`` was answered, ``x`` was not; the last comes last."""
    workspace.probes.save(Probe(deployment=deployment, enabled=True, interval_s=interval_s))
    end = now or utc_now()
    for number, outcome in enumerate(reversed(outcomes)):
        ok = outcome == "o"
        workspace.probes.record(
            ProbeResult(
                deployment=deployment,
                at=end - timedelta(seconds=interval_s * number + 5),
                ok=ok,
                duration_ms=4.0 + number % 7 if ok else 1.0,
                reason="" if ok else reason,
                request_id=f"probe-{number}",
                root_ok=ok,
            )
        )


def band(
    workspace: LocalWorkspace, experiment: str, metric: str = "AUC_weighted", **limits: float
) -> None:
    workspace.bands.save(Band(experiment=experiment, metric=metric, **limits))


def month(workspace: LocalWorkspace, *, deployment: str = "bank") -> None:
    """Something at every place of the alerts page."""
    webhook(workspace, "http://127.0.0.1:9/hook")
    incident(
        workspace, "probe_failed", cause=f"probe/{deployment}",
        title=f"Probes of {deployment} fail", detail="The server is not running.",
        page="deployment_health", address={"deployment": deployment},
    )  # fmt: skip
    incident(workspace)
    incident(
        workspace, "p95", cause=f"p95/{deployment}", title=f"{deployment} is slow",
        detail="p95 is 1,840 ms over the last 15 min, above 1,000 ms.", page="app_insights",
        address={"deployment": deployment}, opened_at=utc_now() - timedelta(days=1), resolved=True,
    )  # fmt: skip
