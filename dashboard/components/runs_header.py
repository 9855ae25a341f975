"""One run at a glance: its state, its best score, how far it is, and what can be done."""

from __future__ import annotations

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import (
    automl_form,
    baseline_pin,
    confirm,
    failures,
    migration_code,
    page_header,
    register_form,
    runs_child,
    runs_leaderboard,
    runs_list,
    state_badge,
)
from dashboard.run_facts import RunFacts
from services import leaderboard, naive_baseline
from services.domain import Capability, Run, RunStatus


def show(facts: RunFacts, *, now: datetime, zone: tzinfo) -> None:
    run = facts.run
    with st.container(gap="xxsmall"):
        if st.button("All runs", key="runs.back", icon=":material/arrow_back:", type="tertiary"):
            _back()
            st.rerun()  # the whole page: this header is part of a fragment
        actions = page_header.show(runs_list.title(run), _subtitle(facts, now=now, zone=zone))
    with actions:
        state_badge.show(run.status)
        _actions(facts)
    if run.error:
        st.error(formats.sentence(run.error), icon=":material/error:")
    if run.status is RunStatus.NOT_RESPONDING:
        st.warning(_silent(), icon=":material/warning:")
    _figures(facts, now=now)
    if not run.status.settled and facts.settings is not None:
        _progress(facts, now=now)


def _local() -> bool:
    return session.workspace().backend == "local"


def _silent() -> str:
    if _local():
        return (
            "The worker of this run does not answer. It ends as Failed once the supervisor has "
            "found it gone."
        )
    return "Azure ML has lost contact with this run's compute. It may come back; cancel it if not."


def _subtitle(facts: RunFacts, *, now: datetime, zone: tzinfo) -> str:
    run, settings = facts.run, facts.settings
    parts = [run.experiment]
    if run.dataset_id:
        target = f" → {settings.label_column_name}" if settings else ""
        parts.append(run.dataset_id + target)
    start = run.started_at or run.created_at
    parts.append(f"started {formats.instant(start, zone=zone, now=now)}")
    return " · ".join(formats.plain(part) for part in parts)


def _actions(facts: RunFacts) -> None:
    run = facts.run
    if not run.status.settled:
        if confirm.show(
            "Cancel run",
            key="runs.cancel",
            question=f"Cancel {runs_list.title(run)}?",
            consequence="The child run in progress is lost. Child runs that have completed stay, "
            "with their metrics and models.",
            verb="Cancel run",
            refusal="Let it run",
            icon=":material/stop_circle:",
            disabled=run.status is RunStatus.CANCEL_REQUESTED,
        ):
            cancel(run)
    elif _repeatable(facts) and st.button(
        "Run again",
        key="runs.again",
        icon=":material/replay:",
        help="Opens the form with the same settings",
        on_click=automl_form.ask,
        args=(run.id,),
    ):
        st.rerun()
    migration_code.popover(
        "run.leaderboard",
        "run.metrics",
        "run.cancel",
        "model.register",
        run_id=run.id,
        name=run.experiment,
    )
    if run.score is not None:
        _pin(run)
    if facts.best is not None and st.button(
        "Register best model",
        key="runs.register",
        type="primary",
        icon=":material/new_label:",
        on_click=register_form.ask,
        args=(facts.best.id,),
    ):
        st.rerun()  # whole: the dialog is drawn outside this fragment


def _pin(run: Run) -> None:
    """Pin it, or let go of it."""
    pinned = reads.baselines().get(run.experiment) == run.id
    if st.button(
        "Unpin" if pinned else "Pin as baseline",
        key="runs.pin",
        icon=":material/keep_off:" if pinned else ":material/keep:",
        help="The baseline of an experiment stays in front; its other runs show their change",
    ):
        baseline_pin.unpin(run.experiment) if pinned else baseline_pin.pin(run)
        st.rerun()


def _repeatable(facts: RunFacts) -> bool:
    return facts.settings is not None and session.workspace().can(Capability.AUTOML_TRAINING)


def cancel(run: Run) -> None:
    """Ask the run to end, and say so."""
    with failures.reported():
        session.workspace().runs.cancel(run.id)
        reads.clear()
        st.toast(f"{runs_list.title(run)} is being canceled.", icon=":material/stop_circle:")


def _figures(facts: RunFacts, *, now: datetime) -> None:
    run, naive, settings = facts.run, facts.naive_score, facts.settings
    completed = sum(child.status is RunStatus.COMPLETED for child in facts.children)
    failed = sum(child.status is RunStatus.FAILED for child in facts.children)
    short = len(run.primary_metric or "") in range(1, 24)  # longer ones do not fit a tile
    lift = None if naive is None or run.score is None else _lift(run, naive)
    figures = (
        (
            f"Best {run.primary_metric}" if short else "Best score",
            formats.metric(run.score),
            formats.sentence(facts.best.display_name) if facts.best else "none yet",
            None if short else run.primary_metric,
        ),
        (
            "Lift over naive",
            formats.NOTHING if lift is None else f"{lift:+.4f}",
            "not known yet" if naive is None else f"naive scores {formats.metric(naive)}",
            "Naive has learnt nothing: it answers the most frequent class, or the mean",
        ),
        (
            "Child runs",
            formats.count(len(facts.children)),
            f"{completed} completed" + (f", {failed} failed" if failed else ""),
            None,
        ),
        (
            "Duration",
            formats.duration(run.duration(now)),
            f"timeout {formats.seconds(settings.experiment_timeout_minutes * 60)}"
            if settings
            else "",
            None,
        ),
    )
    for tile, (label, value, note, help) in zip(st.columns(4), figures, strict=True):
        tile.metric(
            formats.plain(label),
            value,
            delta=note or None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=help,
        )


def _lift(run: Run, naive: float) -> float:
    assert run.score is not None
    return naive_baseline.lift(run.primary_metric or "", run.score, naive)


def _progress(facts: RunFacts, *, now: datetime) -> None:
    assert facts.settings is not None
    timeout_s = facts.settings.experiment_timeout_minutes * 60
    share = leaderboard.share_of_timeout(facts.run, timeout_s=timeout_s, now=now)
    at_work = [child.display_name for child in facts.children if not child.status.settled]
    text = f"{formats.percent(share, digits=0)} of the timeout used"
    if at_work:
        text += f" · now {', '.join(at_work)}"
    elif facts.run.status is RunStatus.QUEUED:
        text = "Waiting for the supervisor to start it" if _local() else "Waiting for its compute"
    st.progress(share, text=formats.plain(text))


def _back() -> None:
    st.query_params.pop("run", None)
    runs_child.forget()
    st.session_state[runs_leaderboard.VIEW] = runs_leaderboard.FIRST  # bound: left by its value
