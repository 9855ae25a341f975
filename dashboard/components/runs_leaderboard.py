"""The candidates of a search: how they stand, and how the best score came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts, charts_runs, formats
from dashboard.components import empty, runs_settings, state_badge
from dashboard.run_facts import RunFacts
from services import leaderboard
from services.domain import Run, RunStatus, metric_goal
from services.leaderboard import Standing

TALL, TALL_HEIGHT = 18, 600  # rows from which the table scrolls, pixels it then has
SHOWN_REASONS = 4


def show(facts: RunFacts) -> None:
    """Table at the left; the course of the search and its settings at the right."""
    left, right = st.columns([19, 10], gap="small")
    with left:
        if facts.children:
            _table(facts)
            _failures(facts)
        elif facts.run.status.settled:
            empty.show("This run started no child run. Its log says why.")
        else:
            empty.show(
                "The first child run appears here within seconds of the start.",
                icon=":material/hourglass_empty:",
            )
    with right:
        _course(facts)
        if facts.settings is not None:
            runs_settings.brief(facts.settings)


def open_child(run_id: str, *, scored: bool) -> None:
    """Show the child's charts, or the log of one that has none."""
    st.session_state["child"] = run_id
    st.session_state["run-view"] = "Charts" if scored else "Logs"


def _table(facts: RunFacts) -> None:
    standings = leaderboard.standings(
        facts.children, best_id=facts.run.best_child_id, naive=facts.naive_score
    )

    ranked = sum(each.rank is not None for each in standings)

    def opened() -> None:
        row: int = st.session_state["runs.child-open"]["row"]
        if facts.naive_score is not None and row >= ranked:
            row -= 1  # the baseline has a row of its own
            if row < ranked:
                return
        run = standings[row].run
        open_child(run.id, scored=row < ranked)

    st.dataframe(
        _frame(standings, facts),
        hide_index=True,
        height="content" if len(standings) <= TALL else TALL_HEIGHT,
        column_config={
            "#": st.column_config.NumberColumn("#", format="%d", width=44),
            "Child run": st.column_config.ButtonColumn(
                "Child run", type="tertiary", alignment="left", key="runs.child-open",
                on_click=opened, width=285, help="Open its charts, or the log of one without",
            ),
            "Score": st.column_config.NumberColumn(facts.run.primary_metric, format="%.4f"),
            "Lift": st.column_config.NumberColumn(
                "Lift", format="%+.4f", help="Better than the naive baseline by", width=78
            ),
            "Duration": st.column_config.NumberColumn("Duration", format="%.1f s", width=78),
            "Status": state_badge.column("Status", RunStatus, width=105),
        },
        placeholder="",
        alt="Leaderboard of child runs: rank, algorithm, score, lift over naive, duration, status",
        key="runs.leaderboard",
    )  # fmt: skip


def _frame(rows: Sequence[Standing], facts: RunFacts) -> pd.DataFrame:
    """Ranked candidates, the baseline below them, then those without a score."""
    ranked = [_row(each) for each in rows if each.rank is not None]
    rest = [_row(each) for each in rows if each.rank is None]
    baseline: tuple[Any, ...] = (None, "Naive baseline", facts.naive_score, 0.0, None, [])
    naive = [baseline] if facts.naive_score is not None else []
    frame = pd.DataFrame(
        [*ranked, *naive, *rest],
        columns=["#", "Child run", "Score", "Lift", "Duration", "Status"],
    )
    return frame.astype(
        {"#": "Int64", "Score": "float64", "Lift": "float64", "Duration": "float64"}
    )


def _row(standing: Standing) -> tuple[Any, ...]:
    run = standing.run
    return (
        standing.rank,
        f":material/star: {run.display_name}" if standing.best else run.display_name,
        run.score,
        standing.lift,
        (run.ended_at - run.started_at).total_seconds()
        if run.ended_at and run.started_at
        else None,
        [run.status.value],
    )


def _length_s(run: Run) -> float | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return (run.ended_at - run.started_at).total_seconds()


def _failures(facts: RunFacts) -> None:
    """Why candidates failed: each reason once, with the runs it ended."""
    reasons: dict[str, list[Run]] = {}
    for child in facts.children:
        if child.status is RunStatus.FAILED:
            reasons.setdefault(child.error or "No reason was recorded.", []).append(child)
    for reason, children in list(reasons.items())[:SHOWN_REASONS]:
        with st.container(border=True, gap="xsmall"):
            names = ", ".join(f"{each.number} {each.display_name}" for each in children)
            st.markdown(f":red-badge[:material/error: Failed] **{formats.plain(names)}**")
            st.caption(formats.plain(reason))
    if len(reasons) > SHOWN_REASONS:
        st.caption(f"{len(reasons) - SHOWN_REASONS} more reasons are in the logs.")


def _course(facts: RunFacts) -> None:
    run = facts.run
    course = leaderboard.course(run, facts.children)
    with st.container(border=True):
        st.markdown("**Best score so far**")
        if not course:
            st.caption("Drawn from the first child run that completes.")
            return
        references = [("naive", facts.naive_score)] if facts.naive_score is not None else []
        if facts.previous is not None and facts.previous.score is not None:
            references.append((f"run {facts.previous.number}", facts.previous.score))
        metric = run.primary_metric or "score"
        st.plotly_chart(
            charts_runs.search(
                course,
                metric=metric,
                goal=metric_goal(metric),
                timeout_s=facts.settings.experiment_timeout_minutes * 60
                if facts.settings
                else None,
                references=[(label, value) for label, value in references if value is not None],
            ),
            config=charts.CONFIG,
            key="runs.course",
            alt=f"{metric} of each child run and the best so far, by seconds since the start",
        )
        if facts.previous is not None and facts.previous.score is not None:
            st.caption(
                f"Previous run {facts.previous.number}: {formats.metric(facts.previous.score)}"
            )
