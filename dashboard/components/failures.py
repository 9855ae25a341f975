"""What went wrong, said where it went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard import formats
from services.errors import OperationFailedError, ServiceError, UnavailableError


@contextmanager
def explained() -> Iterator[None]:
    """Show what went wrong where it went wrong, and stop the page (or fragment) there.

    Anything that is not a `ServiceError` is a bug and stays loud.
    """
    try:
        yield
    except ServiceError as error:
        show(error)
        st.stop()


@contextmanager
def reported() -> Iterator[None]:
    """Show what went wrong with an action; the rest of the page goes on."""
    try:
        yield
    except ServiceError as error:
        show(error)


def show(error: ServiceError) -> None:
    """The error's own sentence, and the log where it has one."""
    if isinstance(error, UnavailableError):
        text = f"{error} Look again in a moment before retrying."
        st.warning(formats.sentence(text), icon=":material/cloud_off:")
        return
    st.error(formats.sentence(str(error)), icon=":material/error:")
    if isinstance(error, OperationFailedError) and error.log_tail:
        st.code(error.log_tail, language=None, height=240)
