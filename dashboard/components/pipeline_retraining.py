"""How a retraining pipeline has been doing: success, duration, metrics, the last good model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

import pandas as pd
import streamlit as st

from dashboard import (
    alert_reads,
    charts,
    charts_alerts,
    economy,
    formats,
    navigation,
    retrain_reads,
    session,
)
from dashboard.components import alert_look, empty, pipeline_address, state_badge, table_height
from dashboard.pipeline_facts import Catalog
from services.alerts import bands as band_rules
from services.alerts import retraining
from services.alerts.records import Band
from services.alerts.retraining import Standing
from services.domain import Capability, PublishedPipeline, RunStatus

SPANS = {"30 days": timedelta(days=30), "90 days": timedelta(days=90), "All": None}
CHARTS = 3  # of metrics, beside the one of durations
ROWS = 10
ADDRESS = "retraining"  # which pipeline, by id
_CHOSEN = "retraining.pipeline"
OLD = timedelta(days=7)  # without a good model


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> PublishedPipeline | None:
    """One screen per retraining pipeline; the one that is looked at."""
    pipelines = retrain_reads.offered(catalog)
    if not pipelines:
        empty.show(_none(), icon=":material/model_training:")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _chosen(pipelines, catalog)
        span = st.segmented_control(
            "Looked at", list(SPANS), default="30 days", required=True, key="retraining-span"
        )
    if chosen is None:
        empty.show(
            "Azure does not list which of its pipelines retrain: choose one to see how it has "
            "been doing, and to hold its models for approval.",
            icon=":material/model_training:",
        )
        return None
    _pipeline(chosen, SPANS[span or "All"], now=now, zone=zone)
    return chosen


def _chosen(
    pipelines: Mapping[str, PublishedPipeline], catalog: Catalog
) -> PublishedPipeline | None:
    """In the address is its id, which is what links to it know."""
    asked = pipeline_address.opened(ADDRESS)
    if asked in pipelines:
        st.session_state[_CHOSEN] = asked
    elif st.session_state.get(_CHOSEN) not in pipelines:
        st.session_state[_CHOSEN] = _first(pipelines)
    chosen = st.selectbox(
        "Retraining pipeline", list(pipelines), format_func=catalog.title,
        index=None if economy.metered() else 0,
        placeholder="Choose a pipeline", key=_CHOSEN, on_change=_choose, width=420,
    )  # fmt: skip
    return pipelines.get(chosen or "")


def _choose() -> None:
    if chosen := st.session_state.get(_CHOSEN):
        pipeline_address.open(ADDRESS, chosen)
    else:
        pipeline_address.close(ADDRESS)


def _none() -> str:
    if session.workspace().can(Capability.PUBLISH_PIPELINE):
        return (
            "No retraining pipeline is published yet. “Publish pipeline” makes one; each of its "
            "runs is then held against the metric bands of its experiment."
        )
    return (
        "No pipeline is published in this workspace yet. Azure ML publishes from code; one with "
        "an AutoML step can be held here."
    )


def _first(pipelines: Mapping[str, PublishedPipeline]) -> str | None:
    """What to look at while nothing is chosen: on Azure what is held, or nothing."""
    first = next(iter(pipelines))
    if not economy.metered():
        return first
    held = [each.pipeline_id for each in retrain_reads.policies() if each.enabled]
    return first if first in held else None


def _pipeline(
    pipeline: PublishedPipeline, span: timedelta | None, *, now: datetime, zone: tzinfo
) -> None:
    runs = retrain_reads.runs(pipeline.id)
    if not runs:
        empty.show("It has not run yet. Run it now, or schedule it, on the Pipelines view.")
        return
    experiment = runs[0].experiment
    bands: tuple[Band, ...] = ()
    if session.workspace().can(Capability.ALERTS):
        bands = alert_reads.bands(experiment)
    unread = retrain_reads.unread(runs)
    standing = retraining.standing(
        runs,
        retrain_reads.metrics(runs),
        bands,
        since=now - span if span is not None else None,
        unread=unread,
    )
    _cards(standing, bands, now=now, zone=zone)
    if unread:
        st.caption(_unread(pipeline, len(unread)))
    _trends(standing, bands, experiment)
    _table(standing, zone=zone)


def _unread(pipeline: PublishedPipeline, count: int) -> str:
    runs = formats.plural(count, "completed run")
    if pipeline.id in [each.pipeline_id for each in retrain_reads.policies()]:
        return f"The metrics of {runs} are not known yet; the watcher reads them, a few at a time."
    return (
        f"The metrics of {runs} are not known: Azure takes a few requests for each. Save a policy "
        "below, switched on or off, and the watcher reads them."
    )


# --- figures ----------------------------------------------------------------------


def _cards(standing: Standing, bands: Sequence[Band], *, now: datetime, zone: tzinfo) -> None:
    success, duration, metrics, good = st.columns(4)
    with success.container(border=True, height="stretch", key="retraining-success"):
        rate, count = standing.success_rate, standing.settled_count
        st.metric(
            "Success rate", formats.percent(rate, digits=0),
            delta=f"{standing.completed_count} of {formats.plural(count, 'run')}",
            delta_color="green" if standing.completed_count == count else "orange",
            delta_arrow="off", help="Canceled runs, and those under way, are no outcome",
        )  # fmt: skip
    with duration.container(border=True, height="stretch", key="retraining-duration"):
        drift = standing.drift
        st.metric(
            "Usual duration", _minutes(standing.recent_min),
            delta=f"{drift:+.0%} against before" if drift is not None else None,
            delta_color="orange" if drift is not None and drift > 0.25 else "gray",
            delta_arrow="off",
            help=f"Median of the last {retraining.RECENT} completed runs, against those before",
        )  # fmt: skip
    with metrics.container(border=True, height="stretch", key="retraining-metrics"):
        _last_verdict(standing, bands)
    with good.container(border=True, height="stretch", key="retraining-good"):
        age = standing.age(now)
        st.metric(
            "Since the last good model", _age(age),
            help="Completed, and no metric failed its band",
        )  # fmt: skip
        if standing.last_good is not None and age is not None:
            run = standing.last_good.run
            when = formats.instant(run.ended_at, zone=zone, now=now)
            st.badge(
                f"{run.model_id or 'model'} · {when}",
                color="orange" if age > OLD else "gray",
                help=formats.utc(run.ended_at),
            )


def _age(age: timedelta | None) -> str:
    if age is None:
        return "never"
    return formats.plural(age.days, "day") if age.days else formats.duration(age)


def _minutes(value: float | None) -> str:
    return formats.seconds(value * 60) if value is not None else formats.NOTHING


def _last_verdict(standing: Standing, bands: Sequence[Band]) -> None:
    last = next(
        (
            each
            for each in reversed(standing.retrains)
            if each.run.status is RunStatus.COMPLETED and each.read
        ),
        None,
    )
    st.caption("Last completed run")
    if last is None:
        st.markdown(formats.NOTHING)
        return
    if not bands:
        st.markdown(alert_look.verdict(None))
        st.caption("Set bands on the run’s Bands view.")
    for band in bands:
        value = last.metrics.get(band.metric)
        st.markdown(
            f"{alert_look.verdict(last.verdicts.get(band.metric))} "
            f"{formats.plain(band.metric)} {formats.metric(value)}",
            help=band_rules.described(band),
        )
    if last.run.training_run_id:
        st.page_link(
            navigation.to("training_runs"),
            label="Open its training run",
            icon=":material/arrow_forward:",
            query_params={"run": last.run.training_run_id, "run-view": "Bands"},
        )


def _trends(standing: Standing, bands: Sequence[Band], experiment: str) -> None:
    """Durations, and each metric that has a band; without bands the most telling one."""
    names = [band.metric for band in bands][:CHARTS] or _telling(standing)
    places = st.columns(2)
    with places[0].container(border=True, key="retraining-chart-duration"):
        st.markdown("**Duration**")
        st.plotly_chart(
            charts_alerts.durations(standing.retrains, standing.usual_min),
            config=charts.CONFIG,
            key="retraining.durations",
            alt="How long each run took, with the usual duration",
        )
    by_metric = {band.metric: band for band in bands}
    for position, name in enumerate(names, start=1):
        with places[position % 2].container(border=True, key=f"retraining-chart-{name}"):
            band = by_metric.get(name)
            st.markdown(
                f"**{formats.plain(name)}**", help=band_rules.described(band) if band else None
            )
            points = [
                charts_alerts.Point(
                    each.run.ended_at or each.run.created_at,
                    each.metrics[name],
                    each.verdicts.get(name),
                    each.run.model_id or experiment,
                )
                for each in standing.retrains
                if name in each.metrics
            ]
            st.plotly_chart(
                charts_alerts.metric_trend(name, points, band),
                config=charts.CONFIG,
                key=f"retraining.metric-{name}",
                alt=f"{name} of each run with its band",
            )


def _telling(standing: Standing) -> list[str]:
    """A metric every run has, to draw where nobody set a band."""
    logged = [set(each.metrics) for each in standing.retrains if each.metrics]
    return sorted(set.intersection(*logged))[:1] if logged else []


def _table(standing: Standing, *, zone: tzinfo) -> None:
    newest = standing.retrains[::-1]
    st.dataframe(
        pd.DataFrame(
            {
                "started": [each.run.started_at or each.run.created_at for each in newest],
                "status": [[each.run.status.value] for each in newest],
                "verdict": [
                    [each.verdict.value] if each.verdict and each.run.status is RunStatus.COMPLETED
                    else []
                    for each in newest
                ],
                "minutes": [each.minutes for each in newest],
                "model": [each.run.model_id or "" for each in newest],
                "source": [each.run.run_source for each in newest],
                "error": [each.run.error for each in newest],
            }
        ),
        hide_index=True,
        height=table_height.of(len(newest), at_most=ROWS),
        row_height=table_height.ROW_PX,
        column_config={
            "started": st.column_config.DatetimeColumn(
                "Started", format="D MMM YYYY, HH:mm", timezone=str(zone)
            ),
            "status": state_badge.column("Status", RunStatus, width="small"),
            "verdict": alert_look.column("Metrics"),
            "minutes": st.column_config.NumberColumn("Took (min)", format="%.1f", width="small"),
            "model": st.column_config.TextColumn("Model", width=150),
            "source": st.column_config.TextColumn("Submitted by", width="small"),
            "error": st.column_config.TextColumn("Error", width="large"),
        },
        alt="Runs of the pipeline, newest first, with status, verdict, duration and model",
        key="retraining.runs",
    )  # fmt: skip
