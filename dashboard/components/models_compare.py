"""A model against another one: is it better beyond doubt, and does it lean on the same features?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, reads
from dashboard.components import empty, evaluation_panel, models_movement
from services.domain import Difference, Evaluation, EvaluationPlan, Model, Verdict

WORDS = {
    Verdict.BETTER: (":green-badge[:material/trending_up: better]", "It is better."),
    Verdict.WORSE: (":red-badge[:material/trending_down: worse]", "It is worse."),
    Verdict.UNDECIDED: (":gray-badge[:material/balance: cannot tell]", "The difference is noise."),
}


def show(model: Model) -> None:
    """Draw the choice of a champion, the verdict and the movement of importances."""
    others = rivals(model, reads.models())
    if not others:
        empty.show(
            "There is no other model to compare with. Register one from another run.",
            page="training_runs",
            label="Open Training runs",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        champion = st.selectbox(
            "Champion", [each.id for each in others], key="champion", bind="query-params",
            width=280, help="The model that is held against, for instance the one in service",
        )  # fmt: skip
        against = next(each for each in others if each.id == champion)
        dataset_id = evaluation_panel.rows_of(model, against, key="judged-on")
    left, right = st.columns([2, 3], gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown(f"**{formats.plain(model.id)}** against {formats.plain(champion)}")
        plan = EvaluationPlan(model_id=model.id, against=champion, dataset_id=dataset_id)
        evaluation_panel.show(plan, _verdict, verb="Compare predictions", key="models.compare")
    with right.container(border=True, height="stretch"):
        models_movement.show(against, model)


def rivals(model: Model, models: Sequence[Model]) -> list[Model]:
    """Other models, the version before this one first, then the same name, then the rest."""
    serving = {deployment.model_id for deployment in reads.deployments()}
    return sorted(
        (each for each in models if each.id != model.id),
        key=lambda each: (
            each.name != model.name,
            each.id not in serving,
            each.version > model.version,
            -each.version,
        ),
    )


def _verdict(found: Evaluation) -> None:
    difference = found.difference
    if difference is None:
        return
    badge, sentence = WORDS[difference.verdict]
    st.markdown(badge)
    st.metric(
        f"Difference in {formats.plain(difference.metric)}",
        f"{difference.value:+.4f}",
        delta=f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}",
        delta_color="off",
        delta_arrow="off",
    )
    st.markdown(_said(difference, sentence))
    st.caption(
        f"On {formats.plain(found.rows)}. Champion {formats.metric(difference.champion)}, this "
        f"model {formats.metric(difference.challenger)}. {difference.method}."
    )


def _said(difference: Difference, sentence: str) -> str:
    if difference.reason:
        return f"Nothing can be told: {formats.sentence(difference.reason)}"
    if difference.verdict is Verdict.UNDECIDED:
        return (
            "The interval holds zero: on these rows the two cannot be told apart. More rows would "
            "narrow it."
        )
    return f"{sentence} The whole interval lies on one side of zero."
