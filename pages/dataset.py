"""Dataset: what is registered, what is in it, and how to register more."""

import streamlit as st

from dashboard import dataset_uses, reads, session, shell
from dashboard.components import (
    dataset_list,
    dataset_register,
    dataset_samples,
    dataset_view,
    failures,
    page_header,
)

with failures.explained():
    samples = session.workspace().datasets.samples()
    datasets = reads.datasets()
    dataset_register.show()

with page_header.show("Dataset", "Register, preview and profile data"):
    if samples and datasets:
        with st.popover("Samples", icon=":material/science:", width="content"):
            dataset_samples.show(samples)
    if datasets:
        st.button(
            "Register dataset",
            key="dataset.register",
            type="primary",
            icon=":material/add:",
            on_click=dataset_register.ask,
        )

if not datasets:
    st.markdown("Nothing is registered yet. Everything starts with a dataset:")
    dataset_samples.show_first_steps(samples, dataset_register.ask)
    st.stop()


@st.fragment(run_every=shell.refresh_interval())
def live() -> None:
    """The list and the version looked at; refreshes on its own, keeping every choice."""
    with failures.explained():
        registered, uses = reads.datasets(), dataset_uses.find()
        dataset_list.show(registered, uses, zone=shell.zone())
        dataset_view.show(registered, uses)


live()
