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
from services.errors import ServiceError

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

try:
    runs, models = reads.runs(), reads.models()
except ServiceError:  # what uses a dataset is unknown then, and shown as such
    names = versions = None
else:
    names = dataset_uses.by_name(runs, models)
    versions = dataset_uses.by_version(runs, models)

with failures.explained():
    dataset_list.show(datasets, names, zone=shell.zone())
    dataset_view.show(datasets, versions)
