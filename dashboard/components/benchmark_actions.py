"""What else one load test has to say, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from dashboard import reads, session
from dashboard.components import benchmark_form, benchmark_result, confirm, failures
from services.access import Role
from services.domain import LoadTest


def show(test: LoadTest) -> None:
    """Conditions, every figure, what ab printed; delete it. `test` has ended."""
    with st.expander("Conditions and every figure", icon=":material/list_alt:"):
        benchmark_result.details(test)
        text = session.workspace().load_tests.report_text(test.id)
        if text:
            st.markdown("**As ab printed it**")
            st.code(text.strip(), language=None, height=320)
    with st.container(horizontal=True):
        if test.plan is not None:
            st.button(
                "Use this payload",
                key="benchmark.reuse",
                icon=":material/content_paste_go:",
                help="Fills the form, so that the next test can be compared with this one",
                on_click=_reuse,
                args=(test.plan.payload,),
            )
        if confirm.show(
            "Delete…",
            key="benchmark.delete",
            question="Delete this load test?",
            consequence="Its figures and its report are gone. The deployment is not touched.",
            verb="Delete",
            role=Role.ADMIN,
        ):
            with failures.reported():
                session.workspace().load_tests.delete(test.id)
                reads.clear()
                st.query_params.pop("load_test", None)
                st.toast("The load test was deleted.", icon=":material/delete:")
                st.rerun()


def _reuse(payload: str) -> None:
    st.session_state[benchmark_form.PAYLOAD] = payload
