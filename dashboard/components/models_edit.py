"""What is written about a model: description and tags, and its own record."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures, migration_code, register_form
from services.domain import Model


def show(model: Model) -> None:
    left, right = st.columns(2, gap="small")
    with left, st.form(key=f"models.notes-{model.id}", border=True):
        st.markdown("**Description and tags**")
        description = st.text_area(
            "Description", model.description, key=f"models.description-{model.id}"
        )
        tags = st.text_input(
            "Tags", written(model), key=f"models.tags-{model.id}",
            help="Pairs of name=value, separated by commas",
        )  # fmt: skip
        if st.form_submit_button("Save", key="models.save"):
            with failures.reported():
                session.workspace().models.update(
                    model.id, description=description, tags=register_form.read_tags(tags)
                )
                reads.clear()
                st.toast("Saved.", icon=":material/check:")
                st.rerun()
    with right, st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Record**", width="stretch")
            migration_code.popover(
                "model.update",
                name=model.name,
                version=model.version,
                description=model.description,
            )
        rows = {
            "Id": model.id,
            "Framework": model.framework,
            "Experiment": model.experiment,
            "Run id": model.run_id,
            **model.properties,
        }
        known = {name: value for name, value in rows.items() if value}
        st.table(
            {
                "Field": [f":gray[{formats.plain(name)}]" for name in known],
                "Value": [formats.plain(str(value)) for value in known.values()],
            },
            border=False,
            hide_index=True,
            hide_header=True,
            alt="What the registry holds about this model",
        )


def written(model: Model) -> str:
    """Tags as the form takes them."""
    return ", ".join(f"{name}={value}" if value else name for name, value in model.tags.items())
