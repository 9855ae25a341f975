"""The dialog that puts a published pipeline behind an endpoint, new or existing."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures, migration_code, pipeline_address
from dashboard.pipeline_facts import Catalog
from services.domain import PipelineEndpoint

ASKING = "pipelines.endpoint"  # the pipeline
NEW = "A new endpoint"


def ask(pipeline_id: str) -> None:
    """Open the dialog in the next rerun."""
    st.session_state[ASKING] = pipeline_id


def show(catalog: Catalog) -> None:
    """Draw the dialog if it was asked for. Called once, outside every fragment."""
    if ASKING in st.session_state:
        _dialog(st.session_state[ASKING], catalog)


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog("Pipeline endpoint", icon=":material/alt_route:", on_dismiss=close)
def _dialog(pipeline_id: str, catalog: Catalog) -> None:
    st.caption(
        "An endpoint keeps one address while the pipelines behind it change: callers and "
        f"schedules follow its default version. {formats.plain(catalog.title(pipeline_id))} "
        "becomes a version of it."
    )
    choices = [NEW, *catalog.endpoints]
    chosen = st.selectbox(
        "Endpoint", choices, key="endpoint-form.which",
        format_func=lambda each: NEW if each == NEW else catalog.endpoints[each].name,
    )  # fmt: skip
    name, default = "", True
    if chosen == NEW:
        name = st.text_input("Name", key="endpoint-form.name")
    else:
        default = st.toggle("Make it the default version", True, key="endpoint-form.default")
    with failures.reported(), st.container(horizontal=True, horizontal_alignment="right"):
        new = chosen == NEW
        migration_code.popover(
            "pipeline_endpoint.create" if new else "pipeline_endpoint.add_version",
            name=(name.strip() or None) if new else catalog.endpoints[chosen].name,
            pipeline_id=pipeline_id,
        )
        if st.button("Cancel", key="endpoint-form.cancel"):
            close()
            st.rerun()
        ready = bool(chosen != NEW or name.strip())
        if st.button("Save", key="endpoint-form.save", type="primary", disabled=not ready):
            saved = _save(chosen, name.strip(), pipeline_id, default=default)
            reads.clear()
            close()
            st.toast(formats.plain(f"{saved.name}: default version {saved.default_version}"))
            pipeline_address.close("pipeline")
            pipeline_address.go(pipeline_address.PIPELINES, endpoint=saved.id)
            st.rerun()


def _save(chosen: str, name: str, pipeline_id: str, *, default: bool) -> PipelineEndpoint:
    port = session.workspace().pipelines
    if chosen == NEW:
        return port.create_endpoint(name, pipeline_id)
    return port.add_endpoint_version(chosen, pipeline_id, make_default=default)
