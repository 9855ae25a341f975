"""Six figures of the workspace: each honest about its state, stamped, and a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import streamlit as st

from dashboard import formats, navigation, shell
from dashboard.components import panel, runs_scope, state_badge
from dashboard.economy import metered
from dashboard.overview_facts import EXPERIMENTS, Facts
from dashboard.rates import Rates
from dashboard.readings import Reading
from services import attention
from services.domain import Deployment, DeploymentState, Model, Run, Schedule
from services.flow_state import next_due

T = TypeVar("T")


def show(facts: Facts) -> None:
    """Draw the cards, two in a row."""
    rows = [st.columns(2) for _ in range(3)]
    cards = (_services, _runs, _failure_rate, _p95, _retrain, _model_age)
    for place, draw in zip((cell for row in rows for cell in row), cards, strict=True):
        with place:
            draw(facts)


def _card(
    title: str,
    icon: str,
    page: str,
    reading: Reading[T],
    draw: Callable[[T], None],
    *,
    empty: str,
    address: Mapping[str, str] | None = None,
) -> None:
    """A card whose title leads to the page behind it."""
    with st.container(border=True, height="stretch", gap="xsmall", key=f"card-{title}"):
        stamp = st.container(
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            gap="small",
        )
        stamp.page_link(
            navigation.to(page),
            label=f"**{title}**",
            icon=icon,
            query_params=dict(address or {}),
        )
        panel.draw_reading(reading, draw, stamp=stamp, empty=empty)


def _figure(label: str, value: str, **options: object) -> None:
    st.metric(label, value, label_visibility="collapsed", **options)  # type: ignore[arg-type]


def _said(text: str, at: datetime | None, now: datetime) -> None:
    """A line under a figure, with the instant it speaks of."""
    when = formats.instant(at, zone=shell.zone(), now=now)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(formats.plain(text), width="content")
        st.badge(when, color="gray", help=formats.utc(at))


# --- serving ----------------------------------------------------------------------


def _services(facts: Facts) -> None:
    def draw(deployments: tuple[Deployment, ...]) -> None:
        states = Counter(deployment.state for deployment in deployments)
        healthy = states[DeploymentState.HEALTHY]
        _figure("Healthy deployments", f"{healthy} of {len(deployments)} healthy")
        st.markdown(" ".join(f"{_count(state, states[state])}" for state in _by_urgency(states)))

    _card(
        "Services", ":material/ecg_heart:", "deployment_health", facts.deployments, draw,
        empty="Nothing is deployed yet. Deploy a model from the Models page.",
    )  # fmt: skip


def _by_urgency(states: Counter[DeploymentState]) -> list[DeploymentState]:
    order = ("red", "orange", "blue", "gray", "green")
    return sorted(states, key=lambda state: order.index(state_badge.color(state)))


def _count(state: DeploymentState, count: int) -> str:
    return f":{state_badge.color(state)}-badge[{count} {state.value}]"


def _failure_rate(facts: Facts) -> None:
    def draw(rates: Rates) -> None:
        bad = rates.failure_rate >= attention.FAILURES_WARN
        some = "orange" if rates.failed_count else "green"
        failed = formats.count(rates.failed_count)
        requests = formats.plural(rates.request_count, "request")
        _figure(
            "Failure rate",
            formats.percent(rates.failure_rate),
            delta=f"{failed} of {requests}",
            delta_color="red" if bad else some,
            delta_arrow="off",
            **_sparkline([share * 100 for share in rates.failed_shares], "bar"),
        )

    _card(
        "Failure rate", ":material/monitoring:", "app_insights",
        facts.rates, draw, empty="No request in this window.",
    )  # fmt: skip


def _p95(facts: Facts) -> None:
    def draw(rates: Rates) -> None:
        _figure(
            "p95 duration",
            formats.milliseconds(rates.p95_ms),
            delta=f"median {formats.milliseconds(rates.p50_ms)}",
            delta_color="blue",
            delta_arrow="off",
            **_sparkline(rates.p95s_ms, "line"),
        )

    _card(
        "p95 duration", ":material/timer:", "app_insights",
        facts.rates, draw, empty="No request in this window.",
    )  # fmt: skip


def _sparkline(values: object, kind: str) -> dict[str, object]:
    """Options of a metric; one point is no line, and no line is better than a wrong one."""
    points = list(values)  # type: ignore[call-overload]
    return {"chart_data": points, "chart_type": kind} if len(points) > 1 else {}


# --- training ---------------------------------------------------------------------


def _runs(facts: Facts) -> None:
    def draw(runs: tuple[Run, ...]) -> None:
        bad = attention.failed_or_stuck(runs, since=facts.window.start, now=facts.now)
        recent = sum(run.created_at >= facts.window.start for run in runs)
        active = sum(not run.status.settled for run in runs)
        _figure("Failed or stuck", f"{len(bad)} failed or stuck")
        calm = "gray" if facts.experiments_left else "green"  # of others nothing is known
        color = "red" if bad else calm
        parts = [f":{color}-badge[{len(bad)} of {recent} in the {shell.window_label()}]"]
        if active:
            parts.append(f":blue-badge[{active} active]")
        if facts.experiments_left:
            parts.append(f":gray-badge[{EXPERIMENTS} newest experiments]")
        st.markdown(" ".join(parts))

    _card(
        "Runs", ":material/model_training:", "training_runs", facts.runs, draw,
        empty=f"No run in the {EXPERIMENTS} newest experiments."
        if facts.experiments_left
        else "No run yet. Start one from the Training runs page.",
        address={"status": "Failed", **({runs_scope.KEY: runs_scope.EVERY} if metered() else {})},
    )  # fmt: skip


def _model_age(facts: Facts) -> None:
    def draw(models: tuple[Model, ...]) -> None:
        newest = models[0]
        _figure("Age of the newest model", _age(newest.created_at, facts.now))
        parts = filter(None, (newest.id, _score(newest)))
        _said(" · ".join(parts), newest.created_at, facts.now)

    _card(
        "Model age", ":material/deployed_code:", "models", facts.models, draw,
        empty="No model is registered yet. Register the best one of a run.",
        address={"model": _newest_id(facts)} if _newest_id(facts) else None,
    )  # fmt: skip


def _score(model: Model) -> str:
    """The metric it was chosen by, as Azure's properties tell it."""
    metric, score = (model.properties.get(name, "") for name in ("primary_metric", "score"))
    try:
        return f"{metric} {formats.metric(float(score))}".strip()
    except ValueError:
        return ""


def _newest_id(facts: Facts) -> str:
    models = getattr(facts.models, "value", ())
    return models[0].id if models else ""


def _age(at: datetime, now: datetime) -> str:
    return formats.age(at, now=now).removesuffix(" ago")


# --- schedules --------------------------------------------------------------------


def _retrain(facts: Facts) -> None:
    def draw(schedules: tuple[Schedule, ...]) -> None:
        due = next_due(schedules)
        if due is None:
            _figure("Next retrain", "none")
            st.caption(f"{formats.plural(len(schedules), 'schedule')}, all disabled")
            return
        _figure("Next retrain", formats.age(due.next_fire_at, now=facts.now))
        _said(due.name, due.next_fire_at, facts.now)

    _card(
        "Next retrain", ":material/event_repeat:", "pipeline_schedules", facts.schedules, draw,
        empty="Nothing is scheduled. A published pipeline can be.",
    )  # fmt: skip
