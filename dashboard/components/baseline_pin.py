"""The pinned baseline of an experiment: which run it is, choosing it, and how others differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard import formats, navigation, reads, session
from dashboard.components import failures
from services import run_comparison
from services.domain import Run

NONE = "None"
_KEY = "compare.baseline"


def of(runs: Sequence[Run]) -> dict[str, Run]:
    """Experiment → its pinned run, for the experiments of these runs. A run that is gone
    is no baseline."""
    here = {run.experiment for run in runs}
    known = {run.id: run for run in runs}
    found = {}
    for experiment, run_id in reads.baselines().items():
        if experiment in here and (run := known.get(run_id) or reads.run_or_none(run_id)):
            found[experiment] = run
    return found


def change(run: Run, pinned: Mapping[str, Run]) -> float | None:
    """The run's score less its baseline's, where both were ranked by the same metric."""
    held = pinned.get(run.experiment)
    if held is None or held.id == run.id or held.primary_metric != run.primary_metric:
        return None
    return run_comparison.delta(run.score, held.score)


def choose(scope: Sequence[Run], names: Mapping[str, str]) -> None:
    """The picker, where all runs are of one experiment. What is chosen is pinned for everybody."""
    experiments = {run.experiment for run in scope}
    if len(experiments) > 1:
        return
    (experiment,) = experiments
    pinned = reads.baselines().get(experiment)
    options = [NONE, *(run.id for run in scope)]
    if pinned and pinned not in options:
        options.append(pinned)
    st.session_state[_KEY] = pinned or NONE
    st.selectbox(
        "Baseline", options, key=_KEY, width=170, on_change=_chosen, args=(experiment,),
        format_func=lambda run_id: names.get(run_id) or _elsewhere(run_id),
        help="One run of each experiment is pinned; it stays in front and the others show how far "
        "they are from it. Everybody who opens this workspace sees the same pin.",
    )  # fmt: skip


def line(run: Run) -> None:
    """One line that says which run is pinned, with the way there."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        score = "" if run.score is None else f" · {run.primary_metric} {formats.metric(run.score)}"
        st.page_link(
            navigation.to("training_runs"),
            label=formats.plain(f"Baseline of {run.experiment}: run {run.number}{score}"),
            icon=":material/keep:",
            query_params={"run": run.parent_id or run.id},
            width="content",
        )
        if st.button(
            "Unpin", key=f"baseline.unpin-{run.experiment}", type="tertiary",
            icon=":material/keep_off:",
        ):  # fmt: skip
            unpin(run.experiment)
            st.rerun()


def pin(run: Run) -> None:
    """Hold the other runs of its experiment against this one."""
    with failures.reported():
        session.workspace().baselines.pin(run.experiment, run.id)
        reads.clear()
        st.toast(f"Run {run.number} is the baseline of {run.experiment}.", icon=":material/keep:")


def unpin(experiment: str) -> None:
    with failures.reported():
        session.workspace().baselines.unpin(experiment)
        reads.clear()
        st.toast(f"{experiment} has no baseline any more.", icon=":material/keep_off:")


def _chosen(experiment: str) -> None:
    run_id = st.session_state[_KEY]
    if run_id == NONE:
        unpin(experiment)
        return
    with failures.reported():
        pin(reads.run(run_id))


def _elsewhere(run_id: str) -> str:
    if run_id == NONE:
        return NONE
    run = reads.run_or_none(run_id)
    return "a run that is gone" if run is None else f"{run.experiment} {run.number}"
