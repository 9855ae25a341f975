"""Live scoring: send a form, JSON or a CSV file to a deployment and read its answer."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, scoring_draft, session, shell
from dashboard.components import (
    deployment_picker,
    empty,
    failures,
    page_header,
    scoring_answer,
    scoring_batch,
    scoring_editor,
    scoring_golden,
    scoring_history,
    scoring_options,
    scoring_request,
    scoring_sweep,
)
from services.domain import DataContract, Deployment

page_header.show("Live scoring", "Send rows to a deployment and read its answer")


def score(deployment: Deployment) -> None:
    """Send what is in the editor, and keep the answer."""
    payload = scoring_draft.current().text(indent=None)
    with failures.reported(), st.spinner("Scoring…"):
        answer = session.workspace().scoring.score(deployment.name, payload)
        session.workspace().scored.remember(deployment.name, deployment.model_id, payload, answer)
        scoring_draft.keep(
            scoring_draft.Exchange(deployment=deployment.name, payload=payload, answer=answer)
        )


def request(deployment: Deployment, contract: DataContract | None, mode: str) -> None:
    """The editor beside the answer."""
    left, right = st.columns([2, 1], gap="small")
    with left:
        if scoring_editor.show(contract, mode=mode):
            score(deployment)
    with right:
        scoring_answer.show(scoring_draft.exchange(deployment.name), contract)
        scoring_request.show(deployment)


with failures.explained():
    deployments = reads.deployments()
    if not deployments:
        empty.show(
            "Nothing is deployed yet. Deploy a model, then score rows with it here.",
            page="models",
            label="Open Models",
        )
        st.stop()
    toolbar = st.container(horizontal=True, vertical_alignment="bottom", key="scoring-toolbar")
    with toolbar:
        deployment = deployment_picker.choose(deployments, width=280)
    if deployment is None:
        st.caption("Choose a deployment to see what its rows look like and to score some.")
        st.stop()
    with toolbar:
        contract = scoring_options.contract(deployment)
        mode = scoring_options.mode(contract)
        accepted = scoring_options.accepts_method(deployment, contract)
        scoring_draft.payload(deployment.name, contract, probabilities=accepted)
        probabilities = scoring_options.probabilities(contract)
    scoring_options.notice(deployment, contract)
    now, zone = datetime.now(UTC), shell.zone()
    kept = (scoring_history.SCORE, scoring_history.HISTORY, scoring_history.GOLDEN)
    views = (*kept, scoring_sweep.SWEEP)
    one, history, golden, sweep = st.tabs(
        views, key=scoring_history.VIEW, bind="query-params", on_change="rerun"
    )
    if history.open:
        with history:
            scoring_history.show(deployment, deployments, now=now, zone=zone)
    if golden.open:
        with golden:
            scoring_golden.show(deployment, now=now, zone=zone)
    if sweep.open:
        with sweep:
            scoring_sweep.show(deployment, deployments, contract)
    if one.open:
        with one:
            if mode == scoring_editor.CSV and contract is not None:
                scoring_batch.show(deployment.name, contract, probabilities=probabilities)
            else:
                request(deployment, contract, mode)
