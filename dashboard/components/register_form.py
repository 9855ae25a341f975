"""The dialog that registers what a run left behind as the next version of a model."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures, migration_code

ASKING = "models.register"  # the run to register


def ask(run_id: str) -> None:
    """Open the dialog in the next rerun."""
    st.session_state[ASKING] = run_id


def show() -> None:
    """Draw the dialog if it was asked for. Called once, outside every fragment."""
    if ASKING in st.session_state:
        _dialog(st.session_state[ASKING])


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog("Register model", icon=":material/new_label:", on_dismiss=close)
def _dialog(run_id: str) -> None:
    with failures.reported():
        run = reads.run(run_id)
        models = reads.models()
        metric = formats.plain(run.primary_metric or "score")
        st.markdown(
            f"**{formats.plain(run.display_name)}**, {metric} {formats.metric(run.score)}, "
            f"from experiment {formats.plain(run.experiment)}"
        )
        name = st.text_input("Name", _usual_name(run.experiment), key="register.name")
        newest = max((model.version for model in models if model.name == name), default=0)
        st.caption(
            f"Becomes version {newest + 1} of {formats.plain(name)}."
            if newest
            else "A new model, version 1."
        )
        description = st.text_input("Description", key="register.description")
        tags = st.text_input(
            "Tags", key="register.tags", placeholder="stage=candidate, owner=crm",
            help="Pairs of name=value, separated by commas",
        )  # fmt: skip
        with st.container(horizontal=True, horizontal_alignment="right"):
            migration_code.popover("model.register", run_id=run_id, name=name)
            if st.button("Cancel", key="register.cancel"):
                close()
                st.rerun()
            if st.button("Register", key="register.go", type="primary", disabled=not name):
                model = session.workspace().models.register(
                    run_id, name, description=description, tags=read_tags(tags)
                )
                reads.clear()
                close()
                st.switch_page("../pages/models.py", query_params={"model": model.id})


def _usual_name(experiment: str) -> str:
    """The name this experiment's models were registered under last, or one made from its own."""
    for model in reads.models():
        if model.experiment == experiment:
            return model.name
    return experiment


def read_tags(text: str) -> dict[str, str]:
    """``stage=candidate, owner=crm`` as a mapping; a word alone becomes a tag without value."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
