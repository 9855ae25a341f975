"""Models: what is registered, where it came from, what it leans on, and who serves it."""

import streamlit as st

from dashboard import economy, navigation, reads, shell, side_by_side
from dashboard.components import (
    deploy_form,
    empty,
    failures,
    models_table,
    models_view,
    page_header,
)
from services.errors import NotFoundError

with page_header.show("Models", "Registered models, their explanations and their deployments"):
    st.page_link(
        navigation.to("training_runs"),
        label="Register from a run",
        icon=":material/new_label:",
        query_params={"status": "Completed"},
    )

with failures.explained():
    side_by_side.ahead(reads.models, reads.deployments)
    models = reads.models()
    if not models:
        empty.show(
            "No model is registered yet. Open a completed run and register its best model.",
            page="training_runs",
            label="Open Training runs",
        )
        st.stop()

    deployments = reads.deployments()
    deploy_form.show(models)
    usual = economy.first(models)
    wanted = st.query_params.get("model", usual.id if usual else "")
    models_table.show(models, deployments, chosen=wanted, zone=shell.zone())
    if not wanted:
        st.caption("Choose a version to see its figures, its explanation and who serves it.")
        st.stop()
    model = next((each for each in models if each.id == wanted), None)
    if model is None:
        raise NotFoundError("model", wanted)
    models_view.show(model, zone=shell.zone())
