"""Metric bands of an experiment: this run held against them, their editor, and the trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import alert_reads, charts, charts_alerts, formats, reads, session
from dashboard.components import alert_look, empty, failures
from dashboard.run_facts import RunFacts
from services.alerts import bands as band_rules
from services.alerts.records import Band, BandCheck, Verdict
from services.domain import Capability, MetricGoal, Run, RunStatus, metric_goal

RUNS = 60  # of a trend, at most


def show(facts: RunFacts) -> None:
    """Everything the experiment's runs are held against, and how they did."""
    if not session.workspace().can(Capability.ALERTS):
        empty.show("Nobody watches this workspace, so its runs are not held against bands.")
        return
    run = facts.run
    bands = {each.metric: each for each in alert_reads.bands(run.experiment)}
    history = _history(run.experiment)
    metrics = reads.metrics(tuple(_scored(each) for each in history)) if history else {}
    own = metrics.get(_scored(run), {})
    kept = {each.band.metric: each for each in alert_reads.band_checks(run.experiment)
            if each.run_id == run.id}  # fmt: skip
    _verdicts(run, list(bands.values()), own, kept)
    names = sorted({*bands, *(name for each in metrics.values() for name in each)})
    if not names:
        empty.show("No run of this experiment has logged a metric yet.")
        return
    first = run.primary_metric if run.primary_metric in names else names[0]
    metric = st.selectbox(
        "Metric", names, index=names.index(next(iter(bands), first)), key="bands.metric"
    )
    editor, trend = st.columns([2, 3], gap="medium")
    with editor:
        _editor(run.experiment, metric, bands.get(metric))
    with trend:
        _trend(metric, history, metrics, bands.get(metric))


def notice(facts: RunFacts) -> None:
    """A line under the run's name when a metric left its band; nothing else."""
    run = facts.run
    completed = run.status is RunStatus.COMPLETED
    if not completed or not session.workspace().can(Capability.ALERTS):
        return
    bands = alert_reads.bands(run.experiment)
    if not bands:
        return
    own = reads.metrics((_scored(run),)).get(_scored(run), {})
    checks = band_rules.checks(run.id, own, bands, at=run.ended_at or run.created_at)
    broken = [each for each in checks if each.verdict is not Verdict.PASS]
    for check in broken:
        value = formats.metric(check.value) if check.value is not None else "not logged"
        expected = formats.plain(band_rules.described(check.band))
        st.markdown(
            f"{alert_look.verdict(check.verdict)} {formats.plain(check.band.metric)} {value}, "
            f"expected {expected}"
        )


def _scored(run: Run) -> str:
    return run.best_child_id or run.id


def _history(experiment: str) -> list[Run]:
    """Completed runs, oldest first."""
    done = [each for each in reads.runs(experiment) if each.status is RunStatus.COMPLETED]
    return done[:RUNS][::-1]


def _verdicts(
    run: Run, bands: Sequence[Band], own: Mapping[str, float], kept: Mapping[str, BandCheck]
) -> None:
    if not bands:
        st.caption(
            "Nothing is expected of this experiment's metrics. Set a band: a run that leaves it "
            "reads Fail, and an alert says so."
        )
        return
    if run.status is not RunStatus.COMPLETED:
        st.caption("The bands are applied when the run has completed.")
        return
    checks = band_rules.checks(run.id, own, bands, at=run.ended_at or run.created_at)
    st.dataframe(
        pd.DataFrame(
            {
                "metric": [each.band.metric for each in checks],
                "value": [each.value for each in checks],
                "expected": [band_rules.described(each.band) for each in checks],
                "verdict": [[each.verdict.value] for each in checks],
                "then": [
                    [kept[each.band.metric].verdict.value] if each.band.metric in kept else []
                    for each in checks
                ],
            }
        ),
        hide_index=True,
        height="content",
        placeholder="not logged",
        column_config={
            "metric": st.column_config.TextColumn("Metric"),
            "value": st.column_config.NumberColumn("Value", format="%.4f", width="small"),
            "expected": st.column_config.TextColumn("Expected", width="large"),
            "verdict": alert_look.column("Today's band"),
            "then": alert_look.column("When it ended"),
        },
        alt="Metrics of this run with what is expected of them and the verdict",
        key="bands.verdicts",
    )


def _editor(experiment: str, metric: str, band: Band | None) -> None:
    known = band or Band(experiment=experiment, metric=metric)
    better = "larger" if metric_goal(metric) is MetricGoal.MAXIMIZE else "smaller"
    with st.form(f"band-form-{experiment}-{metric}", border=True):
        st.markdown(f"**Band of {formats.plain(metric)}**")
        st.caption(f"A {better} value is the better one. A limit that is left empty does not bind.")
        left, right = st.columns(2)
        values = {
            name: place.number_input(
                label, value=getattr(known, name), step=None, format="%.4f", placeholder="no limit",
                key=f"band-{experiment}-{metric}-{name}",
            )
            for place, name, label in (
                (left, "fail_below", "Fail below"),
                (right, "fail_above", "Fail above"),
                (left, "warn_below", "Warn below"),
                (right, "warn_above", "Warn above"),
            )
        }  # fmt: skip
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", key=f"band-save-{metric}", type="primary")
            removed = band is not None and st.form_submit_button(
                "Remove", key=f"band-remove-{metric}"
            )
    port = session.workspace().bands
    with failures.reported():
        if saved:
            port.save(Band(experiment=experiment, metric=metric, **values))
        elif removed:
            port.delete(experiment, metric)
        if saved or removed:
            reads.clear()
            st.rerun()


def _trend(
    metric: str,
    history: Sequence[Run],
    metrics: Mapping[str, Mapping[str, float]],
    band: Band | None,
) -> None:
    points = [
        charts_alerts.Point(
            run.ended_at or run.created_at,
            value,
            band_rules.verdict(band, value) if band else None,
            f"Run {run.number}",
        )
        for run in history
        if (value := metrics.get(_scored(run), {}).get(metric)) is not None
    ]
    if not points:
        st.caption(f"No completed run has logged {formats.plain(metric)}.")
        return
    st.plotly_chart(
        charts_alerts.metric_trend(metric, points, band, height=300),
        config=charts.CONFIG,
        key="bands.trend",
        alt=f"{metric} of the last {len(points)} runs with its band",
    )
