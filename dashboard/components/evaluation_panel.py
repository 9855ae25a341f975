"""Asking what predictions are worth: which rows, the work in the background, the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures
from services.domain import Capability, Dataset, Evaluation, EvaluationPlan, Model, RunStatus

LIVE_S = 1.0
HELD_OUT = "Rows training held out"
ELSEWHERE = (
    "The models of this workspace stay on Azure, so their predictions cannot be looked at from "
    "here. Their runs' metrics are side by side on Training runs, without an interval."
)


def rows_of(*models: Model, key: str) -> str | None:
    """Which rows to judge on: a dataset version, or None for those training held out."""
    versions = [dataset.id for dataset in _versions(models)]
    chosen = st.selectbox(
        "Judged on", [HELD_OUT, *versions], key=key, bind="query-params", width=280,
        help="Rows a model has learnt from are always left out: on those, the one that learnt "
        "them by heart wins.",
    )  # fmt: skip
    return None if chosen == HELD_OUT else chosen


def show(plan: EvaluationPlan, draw: Callable[[Evaluation], None], *, verb: str, key: str) -> None:
    """The answer, or the button that asks for it. Refreshes on its own while it is worked on."""
    if not session.workspace().can(Capability.EVALUATION):
        st.caption(f":material/cloud: {ELSEWHERE}")
        return
    known = reads.evaluation(plan)
    under_way = known is not None and not known.status.settled

    @st.fragment(run_every=LIVE_S if under_way else None)
    def live() -> None:
        with failures.explained():
            found = reads.evaluation(plan)
            if under_way and found is not None and found.status.settled:
                st.rerun()
            _state(found, plan, draw, verb=verb, key=key)

    live()


def _state(
    found: Evaluation | None,
    plan: EvaluationPlan,
    draw: Callable[[Evaluation], None],
    *,
    verb: str,
    key: str,
) -> None:
    if found is None:
        st.caption("Nobody has asked yet. It takes a few seconds, in the background.")
        _ask(plan, verb, key)
    elif found.status is RunStatus.FAILED:
        st.warning(
            formats.sentence(f"This cannot be computed. {found.error}"), icon=":material/help:"
        )
        _ask(plan, "Try again", key)
    elif not found.status.settled:
        waiting = "Waiting for the supervisor" if found.status is RunStatus.QUEUED else "Looking"
        st.caption(f":material/hourglass_top: {waiting}…")
    else:
        draw(found)


def _ask(plan: EvaluationPlan, verb: str, key: str) -> None:
    if st.button(verb, key=key, icon=":material/balance:"):
        with failures.reported():
            session.workspace().evaluations.begin(plan)
            reads.clear()
            st.rerun()


def _versions(models: Sequence[Model]) -> tuple[Dataset, ...]:
    """Every version of the datasets the models come from, and the latest of every other one."""
    latest = reads.datasets()
    own = {(model.dataset_id or "").rpartition(":")[0] for model in models}
    return tuple(
        version
        for dataset in sorted(latest, key=lambda each: each.name not in own)
        for version in (reads.dataset_versions(dataset.name) if dataset.name in own else [dataset])
    )
