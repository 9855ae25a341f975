"""Nothing is destroyed by one click: a dialog names what will be gone."""

from __future__ import annotations

import streamlit as st

from dashboard import people
from services.access import Role


def show(
    label: str,
    *,
    key: str,
    question: str,
    consequence: str,
    verb: str,
    refusal: str = "Cancel",
    typed: str | None = None,
    icon: str | None = ":material/delete:",
    disabled: bool = False,
    help: str | None = None,
    role: Role = Role.OPERATOR,
) -> bool:
    """A button that asks first; true in the one rerun that follows the confirmation.

    Args:
        label: The button's text: ``"Delete…"``.
        question: The dialog's title: ``"Delete bank?"``.
        consequence: What will be gone, and what stays.
        verb: The confirming button's text: ``"Delete"``.
        refusal: The other button's text, where “Cancel” could mean the deed itself.
        typed: When given, this exact name has to be typed first.
        role: The least that is offered the button at all; the port refuses others anyway.
    """
    if not people.may(role):
        return False
    opened, agreed = f"{key}.asking", f"{key}.agreed"
    if st.button(label, key=key, icon=icon, disabled=disabled, help=help):
        st.session_state[opened] = True
    # Kept open by state, not by the click: a fragment's timer must not close it.
    if st.session_state.get(opened):
        _dialog(question, consequence, verb, refusal, typed, key=key)
    return bool(st.session_state.pop(agreed, False))


def _dialog(
    question: str, consequence: str, verb: str, refusal: str, typed: str | None, *, key: str
) -> None:
    def dismiss() -> None:
        st.session_state.pop(f"{key}.asking", None)

    @st.dialog(question, on_dismiss=dismiss)
    def ask() -> None:
        st.markdown(consequence)
        written = st.text_input(f"Type {typed} to go on", key=f"{key}.typed") if typed else None
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button(refusal, key=f"{key}.no"):
                dismiss()
                st.rerun()
            if st.button(verb, key=f"{key}.yes", type="primary", disabled=written != typed):
                dismiss()
                st.session_state[f"{key}.agreed"] = True
                st.rerun()

    ask()
