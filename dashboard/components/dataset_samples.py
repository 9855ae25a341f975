"""The datasets a workspace offers with one click."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures
from dashboard.components.dataset_list import OPENED
from services.domain import SampleDataset


def show(samples: Sequence[SampleDataset]) -> None:
    """Draw a card for each sample, one below the other."""
    for sample in samples:
        with st.container(border=True):
            _card(sample)


def show_first_steps(samples: Sequence[SampleDataset], register: Callable[[], None]) -> None:
    """What an empty workspace offers, side by side: a file of one's own, or a sample.

    Args:
        register: Called when the operator wants to register a file.
    """
    own, *places = st.columns(1 + len(samples))
    with own.container(border=True, height="stretch"):
        st.markdown("**A file of your own**")
        st.caption(
            "CSV separated by comma, semicolon, tab or bar, with a decimal point or comma, in "
            "UTF-8 or Latin-1; or Parquet. Upload it, or name its path or URL."
        )
        st.button(
            "Register a file", key="dataset.first", type="primary", icon=":material/upload_file:",
            on_click=register,
        )  # fmt: skip
    for sample, place in zip(samples, places, strict=True):
        with place.container(border=True, height="stretch"):
            _card(sample)


def _card(sample: SampleDataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{formats.plain(sample.title)}**", width="content")
        if sample.synthetic:
            st.badge("Synthetic", icon=":material/science:", color="orange")
        if sample.needs_network:
            st.badge("Needs a network", icon=":material/cloud_download:", color="gray")
    st.caption(formats.plain(sample.description))
    if st.button(
        "Register synthetic rows" if sample.synthetic else "Download and register",
        key=f"dataset.sample.{sample.id}",
        icon=":material/science:" if sample.synthetic else ":material/cloud_download:",
    ):
        with failures.reported():
            _register(sample)


def _register(sample: SampleDataset) -> None:
    with st.spinner(f"Registering {sample.title}…"):
        dataset = session.workspace().datasets.register_sample(sample.id)
    reads.clear()
    st.session_state[OPENED] = dataset.name
    st.toast(f"Registered {dataset.id}.", icon=":material/table_view:")
    st.rerun()
