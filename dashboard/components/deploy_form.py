"""The form that deploys a model: checked before it is sent, followed afterwards."""

from __future__ import annotations

import re
from collections.abc import Collection

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import deployment_elsewhere, failures, migration_code
from services.domain import Model, check_deployment_name
from services.errors import InvalidRequestError

ASKING = "models.deploy"  # the id of the model to deploy


def ask(model_id: str) -> None:
    """Open the form in the next rerun."""
    st.session_state[ASKING] = model_id


def show(models: Collection[Model]) -> None:
    """Draw the form if it was asked for. Called once, outside every fragment."""
    wanted = st.session_state.get(ASKING)
    model = next((each for each in models if each.id == wanted), None)
    if model is not None:
        _dialog(model)


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog("Deploy model", width="medium", icon=":material/rocket_launch:", on_dismiss=close)
def _dialog(model: Model) -> None:
    with failures.reported():
        taken = {deployment.name for deployment in reads.deployments()}
        st.markdown(f"**{formats.plain(model.id)}** · {formats.plain(model.algorithm)}")
        name = st.text_input(
            "Deployment name", suggested(model.name, taken), key=f"deploy.name-{model.id}",
            max_chars=32, live=True, help="3 to 32 lowercase letters, digits or dashes",
        )  # fmt: skip
        objection = refused(name or "", taken)
        if objection:
            st.caption(f":red[:material/error: {formats.plain(objection)}]")
        cpu, memory = st.columns(2)
        cores = cpu.number_input(
            "CPU cores", 0.1, 8.0, 1.0, 0.1, format="%.1f", key="deploy.cpu",
        )  # fmt: skip
        gigabytes = memory.number_input(
            "Memory (GB)", 0.5, 32.0, 1.0, 0.5, format="%.1f", key="deploy.memory"
        )
        _resources_note(float(cores))
        with st.container(horizontal=True, gap="medium"):
            auth = st.toggle(
                "Key required", True, key="deploy.auth",
                help="Callers send one of two keys. Without, anybody who reaches it may score.",
            )  # fmt: skip
            telemetry = st.toggle(
                "Application Insights", True, key="deploy.telemetry",
                help="Record every request: count, duration, failures, inputs and outputs.",
            )  # fmt: skip
        description = st.text_input("Description", key="deploy.description")
        _golden_note(name)
        deployment_elsewhere.deploying()
        with st.container(horizontal=True, horizontal_alignment="right"):
            migration_code.popover(
                "deployment.create",
                name=name,
                model=model.name,
                version=model.version,
                cores=float(cores),
                gb=float(gigabytes),
                auth=bool(auth),
                telemetry=bool(telemetry),
            )
            if st.button("Cancel", key="deploy.cancel"):
                close()
                st.rerun()
            if st.button(
                "Deploy", key="deploy.go", type="primary", disabled=bool(objection),
                icon=":material/rocket_launch:",
            ):  # fmt: skip
                session.workspace().deployments.begin_create(
                    name,
                    model.id,
                    auth=auth,
                    telemetry=telemetry,
                    cpu_cores=float(cores),
                    memory_gb=float(gigabytes),
                    description=description,
                )
                reads.clear()
                close()
                st.toast(
                    f"{name} is starting and goes on when you leave this page.",
                    icon=":material/rocket_launch:",
                )
                st.rerun()


def _golden_note(name: str) -> None:
    """That this name has right answers from before, which the model will have to give."""
    count = sum(each.golden for each in reads.scored_requests(name)) if name else 0
    if count:
        local = session.workspace().backend == "local"
        st.caption(
            f":material/rule: {formats.plural(count, 'golden case')} of this name: the model is "
            f"{'served only if it answers them' if local else 'asked them once it is served'}."
        )


def refused(name: str, taken: Collection[str]) -> str:
    """Why a deployment cannot have this name, or nothing."""
    try:
        check_deployment_name(name)
    except InvalidRequestError as error:
        return str(error)
    if name in taken:
        return f"“{name}” is already deployed; choose another name, or update that deployment."
    return ""


def suggested(model: str, taken: Collection[str]) -> str:
    """A free name that Azure ML accepts, close to the model's."""
    stem = re.sub(r"[^a-z0-9]+", "-", model.casefold()).strip("-")
    stem = re.sub(r"^[^a-z]+", "", stem)[:28].rstrip("-")
    stem = stem if len(stem) >= 3 else f"model-{stem}".rstrip("-")
    number, name = 2, stem
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def _resources_note(cores: float) -> None:
    local = session.workspace().backend == "local"
    if local:
        st.caption(
            "Costs nothing here: the server runs on this machine, on one thread. The figures are "
            "kept for the move to Azure, where ACI gives 0.1 core unless told otherwise and a "
            "request then takes seconds."
        )
    elif cores < 0.5:
        st.warning(
            "ACI's default of 0.1 core makes single requests take seconds. Half a core or more is "
            "the usual choice; ACI bills cores and memory for as long as the deployment exists.",
            icon=":material/speed:",
        )
    else:
        st.caption(
            "ACI bills cores and memory for as long as the deployment exists, used or not; its own "
            "default is 0.1 core."
        )
