"""The candidates of a search: how they stand, and how the best score came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts_runs, formats, reads
from dashboard.components import empty, runs_child, runs_settings, state_badge
from dashboard.run_facts import RunFacts
from services import leaderboard
from services.domain import Run, RunStatus, metric_goal
from services.leaderboard import Standing

VIEW, FIRST = "run-view", "Leaderboard"  # the widget that chooses a part, and where it starts
TALL, TALL_HEIGHT = 18, 600  # rows from which the table scrolls, pixels it then has
SHOWN_REASONS = 4
COLUMNS = ("#", "Child run", "Score", "Reported", "Lift", "Duration", "Status")


def show(facts: RunFacts) -> None:
    """Table at the left; the course of the search and its settings at the right."""
    left, right = st.columns([19, 10], gap="small")
    with left:
        if facts.children:
            _table(facts)
            _grounds(facts)
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
    runs_child.open(run_id)
    st.session_state[VIEW] = "Charts" if scored else "Logs"


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
            "#": st.column_config.NumberColumn("#", format="%d", width=40),
            "Child run": st.column_config.ButtonColumn(
                "Child run", type="tertiary", alignment="left", key="runs.child-open",
                on_click=opened, width=222 if facts.ranked_elsewhere else 265,
                help="Open its charts, or the log of one without",
            ),
            "Score": st.column_config.NumberColumn(
                facts.run.primary_metric, format="%.4f", width=96,
                help=f"Ranked by it: {facts.chosen_on}" if facts.chosen_on else None,
            ),
            "Reported": st.column_config.NumberColumn(
                "Validation", format="%.4f", width=74,
                help=f"{facts.run.primary_metric} on {facts.reported_on}",
            ),
            "Lift": st.column_config.NumberColumn(
                "Lift", format="%+.4f", help="Better than the naive baseline by", width=68
            ),
            "Duration": st.column_config.NumberColumn("Time", format="%.1f s", width=62),
            "Status": state_badge.column("Status", RunStatus, width=104),
        },
        column_order=[
            name for name in COLUMNS if name != "Reported" or facts.ranked_elsewhere
        ],
        placeholder="",
        alt="Leaderboard of child runs: rank, algorithm, score, lift over naive, duration, status",
        key="runs.leaderboard",
    )  # fmt: skip


def _frame(rows: Sequence[Standing], facts: RunFacts) -> pd.DataFrame:
    """Ranked candidates, the baseline below them, then those without a score."""
    reported = _reported(rows, facts)
    ranked = [_row(each, reported) for each in rows if each.rank is not None]
    rest = [_row(each, reported) for each in rows if each.rank is None]
    score = facts.naive_score
    baseline: tuple[Any, ...] = (None, "Naive baseline", score, score, 0.0, None, [])
    frame = pd.DataFrame(
        [*ranked, *([baseline] if score is not None else []), *rest], columns=COLUMNS
    )
    numbers = dict.fromkeys(("Score", "Reported", "Lift", "Duration"), "float64")
    return frame.astype({"#": "Int64", **numbers})


def _reported(rows: Sequence[Standing], facts: RunFacts) -> dict[str, float]:
    """Run id → the primary metric as logged, where that is another number than the score."""
    if not facts.ranked_elsewhere:
        return {}
    ids = tuple(each.run.id for each in rows if each.rank is not None)
    metric = facts.run.primary_metric or ""
    return {
        run_id: logged[metric] for run_id, logged in reads.metrics(ids).items() if metric in logged
    }


def _grounds(facts: RunFacts) -> None:
    if facts.ranked_elsewhere:
        st.caption(
            f"Ranked by {formats.plain(facts.chosen_on)}. Metrics and charts are from "
            f"{formats.plain(facts.reported_on)}."
        )


def _row(standing: Standing, reported: Mapping[str, float]) -> tuple[Any, ...]:
    run = standing.run
    return (
        standing.rank,
        f":material/star: {run.display_name}" if standing.best else run.display_name,
        run.score,
        reported.get(run.id),
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
            config=charts_runs.CONFIG,
            key="runs.course",
            alt=f"{metric} of each child run and the best so far, by seconds since the start",
        )
        if facts.previous is not None and facts.previous.score is not None:
            st.caption(
                f"Previous run {facts.previous.number}: {formats.metric(facts.previous.score)}"
            )
