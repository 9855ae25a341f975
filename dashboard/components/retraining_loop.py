"""The closed loop of a retraining pipeline: what passes waits here until somebody approves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import alert_reads, economy, formats, pipeline_facts, reads, retrain_reads, session
from dashboard.components import failures, table_height
from services import retraining_policy
from services.domain import Capability, PipelineRun, PublishedPipeline
from services.retraining_policy import Check, Decision, DecisionState, Judgement, Mark, Policy
from services.retraining_rounds import NOT_BEFORE

ROWS = 10
BEFORE = "Retrain → metric range → golden set → register → wait for approval → deploy"
AFTER = "Retrain → metric range → register → wait for approval → deploy → golden set"
_OPEN = "retraining.past"  # whether the past is looked at
_LOOK = {
    Mark.PASSED: ":green[:material/check_circle:]",
    Mark.WARNED: ":orange[:material/warning:]",
    Mark.FAILED: ":red[:material/error:]",
    Mark.SKIPPED: ":gray[:material/remove_circle_outline:]",
    Mark.WAITING: ":blue[:material/pending:]",
}
_UNDER_WAY = {DecisionState.DECIDING, DecisionState.APPROVED}
_STATES = {
    DecisionState.DECIDING: "blue", DecisionState.REJECTED: "red",
    DecisionState.WAITING: "orange", DecisionState.DECLINED: "gray",
    DecisionState.APPROVED: "blue", DecisionState.DEPLOYED: "green", DecisionState.FAILED: "red",
}  # fmt: skip


def show(pipeline: PublishedPipeline | None, *, now: datetime, zone: tzinfo) -> None:
    """Of the pipeline that is chosen above; nothing where nobody would judge its runs."""
    if not session.workspace().can(Capability.RETRAINING_LOOP):
        return
    if pipeline is None:
        return
    with st.container(border=True, key="retraining-loop"):
        st.markdown(
            "**Approval before deploying**",
            help=AFTER if economy.metered() else BEFORE,
        )
        with failures.reported():
            _body(pipeline, now=now, zone=zone)


def _body(pipeline: PublishedPipeline, *, now: datetime, zone: tzinfo) -> None:
    kept = {each.pipeline_id: each for each in retrain_reads.policies()}.get(pipeline.id)
    runs = retrain_reads.runs(pipeline.id)
    if kept is None or not kept.enabled:
        st.caption("Its runs are not held: a model it registers is deployed by hand.")
    else:
        st.caption(
            f"A run that passes is registered and waits here; approved, it is deployed to "
            f"{formats.plain(kept.deployment)}."
        )
        _watched(now)
    policy = _form(pipeline, kept, runs)
    found = retrain_reads.decisions(pipeline.id)
    _follow(found, pipeline.id)
    times = {run.id: formats.instant(run.created_at, zone=zone, now=now) for run in runs}
    for decision in found:
        if decision.state is DecisionState.WAITING:
            _waiting(decision, times)
    if found:
        _table(found, times)
    if runs:
        _replay(policy, found, runs, times)


def _watched(now: datetime) -> None:
    """Say so where nobody would judge what is held."""
    at, _ = alert_reads.evaluated()
    if economy.metered() and (at is None or now - at > alert_reads.stale_after()):
        st.warning(
            f"Nobody judges its runs or deploys what is approved. {alert_reads.unwatched()}",
            icon=":material/visibility_off:",
        )


# --- the policy -------------------------------------------------------------------


def _form(pipeline: PublishedPipeline, kept: Policy | None, runs: Sequence[PipelineRun]) -> Policy:
    """The policy as it stands in the form, saved or not."""
    key = f"retraining-policy-{pipeline.id}"
    with st.expander(
        "Policy", icon=":material/rule:", key=f"{key}.form", on_change="rerun"
    ) as form:
        if economy.metered() and not form.open:  # what it suggests costs a request
            return kept or _empty(pipeline, runs)
        usual = kept or _usual(pipeline, runs)
        enabled = st.toggle(
            "Hold its runs for approval", kept.enabled if kept else False, key=f"{key}.on",
            help="Runs that end from now on are judged, browser open or not.",
        )  # fmt: skip
        where, name = st.columns(2)
        deployment = where.text_input("Deploy to", usual.deployment, key=f"{key}.deployment")
        model = name.text_input(
            "Register as", usual.model_name, key=f"{key}.model",
            help="Where the pipeline does not register its model itself",
        )  # fmt: skip
        warn = st.checkbox(
            "A metric that warns is good enough", usual.warn_passes, key=f"{key}.warn"
        )
        golden = st.checkbox(
            "The golden set of the deployment has to pass", usual.golden, key=f"{key}.golden",
            help=NOT_BEFORE if economy.metered() else None,
        )  # fmt: skip
        policy = Policy(
            pipeline_id=pipeline.id,
            deployment=deployment.strip(),
            model_name=model.strip(),
            enabled=enabled,
            warn_passes=warn,
            golden=golden,
        )
        if st.button(
            "Save policy", key=f"{key}.save", icon=":material/save:", disabled=policy == kept
        ):
            with failures.reported():
                session.workspace().retraining.save(policy)
                reads.clear()
                st.toast("The policy is saved.", icon=":material/rule:")
                st.rerun()
    return policy


def _usual(pipeline: PublishedPipeline, runs: Sequence[PipelineRun]) -> Policy:
    """What stands in the form first: names that are in use already."""
    deployments = [each.name for each in reads.deployments()]
    return replace(_empty(pipeline, runs), deployment=deployments[0] if deployments else "")


def _empty(pipeline: PublishedPipeline, runs: Sequence[PipelineRun]) -> Policy:
    models = [run.model_id.rpartition(":")[0] for run in runs if run.model_id]
    return Policy(
        pipeline_id=pipeline.id,
        deployment="",
        model_name=models[0] if models else pipeline_facts.experiment(pipeline),
        enabled=False,
    )


# --- decisions --------------------------------------------------------------------


def _follow(found: Sequence[Decision], pipeline_id: str) -> None:
    """While one is judged or deployed, look from time to time and redraw when it is not."""
    states = [each.state for each in found]
    if not _UNDER_WAY & {*states}:
        return

    @st.fragment(run_every=2.0)
    def look() -> None:
        with failures.explained():
            if [each.state for each in retrain_reads.decisions(pipeline_id)] != states:
                st.rerun()

    look()


def _waiting(decision: Decision, times: dict[str, str]) -> None:
    """What it is, why it passed, and the two answers."""
    key = f"retraining-decision-{decision.run_id}"
    with st.container(border=True, key=key):
        when = formats.plain(times.get(decision.run_id, formats.NOTHING))
        st.markdown(
            f":orange-badge[:material/front_hand: {decision.state}] "
            f"**{formats.plain(decision.model_id or '')}** of the run of {when}"
        )
        _way(decision)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            note = st.text_input("Note", key=f"{key}.note", max_chars=500, width=420)
            approved = st.button(
                "Approve and deploy", key=f"{key}.approve", type="primary",
                icon=":material/rocket_launch:",
                help=f"Replaces the model of {decision.policy.deployment}",
            )  # fmt: skip
            declined = st.button(
                "Reject", key=f"{key}.reject", icon=":material/block:",
                help="The registered model stays; nothing is deployed.",
            )  # fmt: skip
        if approved or declined:
            with failures.reported():
                port = session.workspace().retraining
                (port.approve if approved else port.reject)(decision.run_id, note=note)
                reads.clear()
                st.rerun()


def _way(decision: Decision) -> None:
    st.markdown("  \n".join(map(_line, retraining_policy.steps(decision))))


def _line(check: Check) -> str:
    return f"{_LOOK[check.mark]} {check.name}: {formats.plain(check.reason)}"


def _table(found: Sequence[Decision], times: dict[str, str]) -> None:
    """All of them; the way of the one that is chosen, or under way, below."""
    event = st.dataframe(
        pd.DataFrame(
            {
                "Run": [times.get(each.run_id, each.run_id) for each in found],
                "Decision": [[each.state.value] for each in found],
                "Model": [each.model_id for each in found],
                "Why": [each.error or _why(each) for each in found],
                "Answered by": [each.answered_by for each in found],
                "Note": [each.note for each in found],
            }
        ),
        hide_index=True,
        height=table_height.of(len(found), at_most=ROWS),
        row_height=table_height.ROW_PX,
        column_config={
            "Decision": st.column_config.MultiselectColumn(
                "Decision", options=[each.value for each in _STATES],
                color=list(_STATES.values()), width=160,
            ),
            "Why": st.column_config.TextColumn("Why", width="large"),
        },
        placeholder="–",
        alt="Decisions about the runs of this pipeline with their reasons",
        key="retraining.decisions",
        on_select="rerun",
        selection_mode="single-row",
    )  # fmt: skip
    rows = [row for row in event.selection.rows if row < len(found)]
    under_way = [each for each in found if each.state in _UNDER_WAY]
    for decision in [found[row] for row in rows] or under_way[:1]:
        st.caption(f"The run of {formats.plain(times.get(decision.run_id, decision.run_id))}")
        _way(decision)


def _why(decision: Decision) -> str:
    return Judgement(decision.checks).why


# --- what would have happened -----------------------------------------------------


def _replay(
    policy: Policy,
    found: Sequence[Decision],
    runs: Sequence[PipelineRun],
    times: dict[str, str],
) -> None:
    """The policy in the form, held against the past."""
    with st.expander(
        "What would have happened", icon=":material/history:", key=_OPEN, on_change="rerun"
    ) as past:
        if not past.open:
            return
        golden = {each.run_id: each.golden for each in found}
        bands = alert_reads.bands(runs[0].experiment)
        judged = retraining_policy.replay(policy, retrain_reads.candidates(runs, golden), bands)
        accepted = sum(judgement.accepted for _, judgement in judged)
        st.caption(
            f"This policy, saved or not, would have accepted {accepted} of "
            f"{formats.plural(len(judged), 'run')} with today’s bands. The golden set is only "
            "known of runs that were decided about."
        )
        if unread := len(retrain_reads.unread(runs)):
            st.caption(
                f"Left out: {formats.plural(unread, 'completed run')} whose metrics are not "
                "known yet."
            )
        st.dataframe(
            pd.DataFrame(
                {
                    "Run": [times.get(each.run_id, each.run_id) for each, _ in judged],
                    "Would be": [[_verdict(judgement)] for _, judgement in judged],
                    "Why": [judgement.why for _, judgement in judged],
                }
            ),
            hide_index=True,
            height=table_height.of(len(judged), at_most=ROWS),
            row_height=table_height.ROW_PX,
            column_config={
                "Would be": st.column_config.MultiselectColumn(
                    "Would be", options=["Accepted", "Rejected"], color=["green", "red"],
                    width="small",
                ),
                "Why": st.column_config.TextColumn("Why", width="large"),
            },
            alt="What the policy would have decided about past runs",
            key="retraining.replay",
        )  # fmt: skip


def _verdict(judgement: Judgement) -> str:
    return "Accepted" if judgement.accepted else "Rejected"
