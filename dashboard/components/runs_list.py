"""The runs of the workspace: filtered, sorted, each one click from its own view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import baseline_pin, empty, runs_scope, state_badge
from dashboard.components.runs_scope import EVERY
from services.domain import MetricGoal, Run, RunStatus, metric_goal

STATUSES = {
    "Active": tuple(status for status in RunStatus if not status.settled),
    "Completed": (RunStatus.COMPLETED,),
    "Failed": (RunStatus.FAILED, RunStatus.NOT_RESPONDING),
    "Canceled": (RunStatus.CANCELED,),
}
ORDERS = ("Newest first", "Oldest first", "Best score", "Longest first")
COMPARE, CHOSEN, PIN = "compare", "runs.chosen", ":material/keep: "
TALL, TALL_HEIGHT = 18, 600  # rows from which a table scrolls, pixels it then has
COLUMNS = (
    *("Status", "Experiment", "Dataset", "Metric", "Score", "Change", "Started", "Duration"),
    "Reason",
)


def show(runs: Sequence[Run], *, now: datetime, zone: tzinfo) -> None:
    """Draw filters and table. Every choice is in the address; opening a run puts it there too."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        experiment = runs_scope.show()
        text = st.text_input(
            "Search", key="search", type="search", bind="query-params", width=220,
            placeholder="Name, dataset, id …", live=True,
        )  # fmt: skip
        statuses = st.pills(
            "Status", list(STATUSES), selection_mode="multi", key="status", bind="query-params"
        )
        st.space("stretch")
        order = st.selectbox("Order", ORDERS, key="order", bind="query-params", width=140)
    found = ordered(
        matching(runs, experiment=experiment, statuses=statuses, text=text or ""), order, now=now
    )
    pinned = baseline_pin.of(found)
    found = tuple(sorted(found, key=lambda run: not _is_pinned(run, pinned)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_counted(found, of=len(runs)), width="content")
        st.space("stretch")
        chosen = _chosen(found)
        st.button(
            f"Compare {len(chosen)} runs" if len(chosen) > 1 else "Compare",
            key="runs.compare",
            icon=":material/compare_arrows:",
            type="tertiary",
            disabled=len(found) < 2,
            on_click=open_comparison,
            args=(experiment, chosen if len(chosen) > 1 else ()),
            help="Side by side, what differs first. Tick rows to compare only those.",
        )
        with st.popover("Columns", icon=":material/view_column:", type="tertiary"):
            columns = st.multiselect(
                "Columns", COLUMNS, default=COLUMNS[:-1], key="columns", bind="query-params"
            )
    if not found:
        empty.show(
            "No run matches these filters. Clear the search or choose another status or experiment."
        )
        return
    for run in pinned.values():
        baseline_pin.line(run)
    _table(found, columns, pinned, now=now, zone=zone)


def open_comparison(experiment: str, chosen: Sequence[Run]) -> None:
    """Make the address ask for these runs side by side; none chosen: all of the experiment."""
    scope = {run.experiment for run in chosen} or {experiment}
    st.query_params[COMPARE] = only = scope.pop() if len(scope) == 1 else EVERY
    names = [label(run, alone=only != EVERY) for run in chosen]
    st.session_state["runs"] = names  # the widget follows this; the address, what is written to it
    if names:
        st.query_params["runs"] = names


def label(run: Run, *, alone: bool) -> str:
    """What a run is called beside others: its number, and its experiment if there are several."""
    return f"Run {run.number}" if alone else f"{run.experiment} {run.number}"


def _chosen(found: Sequence[Run]) -> list[Run]:
    """The runs whose rows are ticked, whatever their place is by now."""
    ids = st.session_state.get(CHOSEN, ())
    return [run for run in found if run.id in ids]


def _is_pinned(run: Run, pinned: Mapping[str, Run]) -> bool:
    return run.experiment in pinned and pinned[run.experiment].id == run.id


def _counted(found: Sequence[Run], *, of: int) -> str:
    active = sum(not run.status.settled for run in found)
    text = formats.plural(len(found), "run")
    text += f" of {formats.count(of)}" if len(found) < of else ""
    return text + (f", {active} active" if active else "")


def matching(
    runs: Sequence[Run], *, experiment: str, statuses: Sequence[str], text: str
) -> tuple[Run, ...]:
    """The runs that pass every filter; no status chosen means every status."""
    wanted = {status for word in statuses for status in STATUSES[word]}
    needle = text.strip().casefold()
    return tuple(
        run
        for run in runs
        if experiment in (EVERY, run.experiment)
        and (not wanted or run.status in wanted)
        and needle in f"{title(run)} {run.id} {run.experiment} {run.dataset_id}".casefold()
    )


def ordered(runs: Sequence[Run], order: str, *, now: datetime) -> tuple[Run, ...]:
    """By the chosen order; runs without what it asks for come last."""
    if order == "Best score":
        return tuple(sorted(runs, key=_by_score))
    if order == "Longest first":
        lengths = {run.id: run.duration(now) for run in runs}
        return tuple(sorted(runs, key=lambda run: -(lengths[run.id] or now - now).total_seconds()))
    return tuple(sorted(runs, key=lambda run: run.created_at, reverse=order == ORDERS[0]))


def title(run: Run) -> str:
    """What a run is called on screen: its kind and its number in the experiment."""
    kind = {"automl": "AutoML run", "pipeline": "Pipeline run"}.get(run.kind.value, "Run")
    return f"{kind} {run.number}"


def open_run(run_id: str) -> None:
    """Make the address ask for this run; the next rerun shows it."""
    st.query_params["run"] = run_id


def _by_score(run: Run) -> tuple[bool, float]:
    score = run.score or 0.0
    better = -score if metric_goal(run.primary_metric or "") is MetricGoal.MAXIMIZE else score
    return run.score is None, better


def _table(
    runs: Sequence[Run],
    columns: Sequence[str],
    pinned: Mapping[str, Run],
    *,
    now: datetime,
    zone: tzinfo,
) -> None:
    ids = tuple(run.id for run in runs)

    def ticked() -> None:
        rows: Sequence[int] = st.session_state["runs.table"]["selection"]["rows"]
        st.session_state[CHOSEN] = tuple(ids[row] for row in rows if row < len(ids))

    def opened(ids: tuple[str, ...]) -> None:
        open_run(ids[st.session_state["runs.open"]["row"]])

    lengths = [run.duration(now) for run in runs]
    frame = pd.DataFrame(
        {
            "Run": [f"{PIN if _is_pinned(run, pinned) else ''}{title(run)}" for run in runs],
            "Status": [[run.status.value] for run in runs],
            "Experiment": [run.experiment for run in runs],
            "Dataset": [run.dataset_id for run in runs],
            "Metric": [run.primary_metric for run in runs],
            "Score": pd.Series([run.score for run in runs], dtype="float64"),
            "Change": pd.Series(
                [baseline_pin.change(run, pinned) for run in runs], dtype="float64"
            ),
            "Started": pd.Series(
                [run.started_at or run.created_at for run in runs], dtype="datetime64[us, UTC]"
            ),
            "Duration": [None if each is None else each.total_seconds() / 60 for each in lengths],
            "Reason": [run.error for run in runs],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(runs) <= TALL else TALL_HEIGHT,
        column_order=[
            "Run",
            *(name for name in COLUMNS if name in columns and (pinned or name != "Change")),
        ],
        on_select=ticked,
        selection_mode="multi-row",
        column_config={
            "Run": st.column_config.ButtonColumn(
                "Run", type="tertiary", alignment="left", key="runs.open", pinned=True,
                on_click=opened, args=(ids,), width=140,
            ),
            "Status": state_badge.column("Status", RunStatus, width=120),
            "Score": st.column_config.NumberColumn("Best score", format="%.4f"),
            "Change": st.column_config.NumberColumn(
                "From baseline", format="%+.4f", width=110,
                help="Best score less that of the experiment's pinned baseline",
            ),
            "Metric": st.column_config.TextColumn("Primary metric"),
            "Started": st.column_config.DatetimeColumn(
                "Started", format="D MMM, HH:mm:ss", timezone=str(zone),
                help="In your time zone, " + str(zone),
            ),
            "Duration": st.column_config.NumberColumn("Duration", format="%.1f min"),
            "Reason": st.column_config.TextColumn("Reason", width="large"),
        },
        placeholder="–",
        alt="Training runs with status, experiment, dataset, primary metric, score and duration",
        key="runs.table",
    )  # fmt: skip
