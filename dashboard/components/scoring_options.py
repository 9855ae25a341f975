"""How a request is made: form, JSON or file; labels alone or with probabilities."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, scoring_draft
from dashboard.components import scoring_editor, state_badge
from services import scoring_payload
from services.domain import DataContract, Deployment, DeploymentState
from services.errors import NotFoundError, ServiceError

PROBABILITIES = "live_scoring.probabilities"


def contract(deployment: Deployment) -> DataContract | None:
    """What a row must look like; None when nothing is known about this deployment's input."""
    try:
        return reads.scoring_contract(deployment.name)
    except NotFoundError:
        return None


def accepts_method(deployment: Deployment, contract: DataContract | None) -> bool:
    """Whether the scoring script takes a method, so that probabilities can be asked for."""
    if contract is None or not contract.classes or deployment.state is not DeploymentState.HEALTHY:
        return False
    try:
        return scoring_payload.accepts_method(reads.swagger(deployment.name, deployment.updated_at))
    except ServiceError:  # it has no description, or does not answer: labels always work
        return False


def mode(contract: DataContract | None) -> str:
    """Form, JSON or a file; without a contract only JSON is possible."""
    offered = [scoring_editor.FORM, scoring_editor.JSON, scoring_editor.CSV]
    if contract is None:
        offered = [scoring_editor.JSON]
    chosen = st.segmented_control(
        "Input", offered, default=offered[0], required=True, key="input", bind="query-params"
    )
    return chosen or offered[0]


def probabilities(contract: DataContract | None) -> bool:
    """Whether probabilities are asked for; the switch edits the payload."""
    if contract is None or not contract.classes:
        return False
    st.session_state[PROBABILITIES] = scoring_draft.current().asks_probabilities
    return st.toggle(
        "Probabilities",
        key=PROBABILITIES,
        on_change=_switch,
        help="Sends “method”: “predict_proba”, which the scripts AutoML writes understand",
    )


def _switch() -> None:
    scoring_draft.choose_probabilities(bool(st.session_state[PROBABILITIES]))


def notice(deployment: Deployment, contract: DataContract | None) -> None:
    """What stands in the way of an answer."""
    if deployment.state is not DeploymentState.HEALTHY:
        st.warning(
            f"{state_badge.markdown(deployment.state)} “{formats.plain(deployment.name)}” may not "
            f"answer. {formats.plain(deployment.error)}",
            icon=":material/warning:",
        )
    if contract is None:
        st.info(
            "Nothing is known about the rows this deployment takes, so there is no form. "
            "Write the JSON its scoring script expects.",
            icon=":material/info:",
        )
