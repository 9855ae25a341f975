"""The dialog that registers a file: where it is, what is in it, and under which name."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import urlsplit

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import dataset_inspection, failures, migration_code
from dashboard.components.dataset_list import OPENED
from services.domain import Capability, DataSource, SourceKind, check_asset_name
from services.errors import InvalidRequestError
from services.tabular import CONTENT_LIMIT_BYTES

ASKING = "dataset.registering"
LIMIT_MB = CONTENT_LIMIT_BYTES // 1024**2
FIND_OUT = "Find out"
DELIMITERS = {FIND_OUT: None, "Comma ,": ",", "Semicolon ;": ";", "Tab": "\t", "Bar |": "|"}
DECIMALS = {FIND_OUT: None, "Point 1.5": ".", "Comma 1,5": ","}
ENCODINGS = {FIND_OUT: None, "UTF-8": "UTF-8", "Latin-1": "Latin-1", "Windows-1252": "Windows-1252"}


def ask() -> None:
    """Open the dialog in the next rerun."""
    st.session_state[ASKING] = True


def show() -> None:
    """Draw the dialog if it was asked for."""
    if ASKING in st.session_state:
        _dialog()


def close() -> None:
    st.session_state.pop(ASKING, None)
    dataset_inspection.forget()


@st.dialog("Register dataset", width="large", icon=":material/upload_file:", on_dismiss=close)
def _dialog() -> None:
    source = _source()
    readable = True
    if source is not None and session.workspace().can(Capability.INSPECT_SOURCE):
        readable = dataset_inspection.show(source)
    name, description = _name(source)
    if session.workspace().backend != "local":
        st.caption("The file is copied to the workspace's default datastore.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        migration_code.popover(
            "dataset.register",
            name=name or None,
            path=source.location if source else None,
        )
        if st.button("Cancel", key="dataset.register.cancel"):
            close()
            st.rerun()
        if st.button(
            "Register",
            key="dataset.register.go",
            type="primary",
            icon=":material/check:",
            disabled=source is None or not readable or not name,
        ):
            assert source is not None
            with failures.reported():
                _register(name, source, description)


def _register(name: str, source: DataSource, description: str) -> None:
    with st.spinner("Registering…"):
        dataset = session.workspace().datasets.register(name, source, description=description)
    reads.clear()
    close()
    st.session_state[OPENED] = dataset.name
    st.toast(f"Registered {dataset.id}.", icon=":material/table_view:")
    st.rerun()


def _source() -> DataSource | None:
    """What to read and how; None until there is something to read."""
    kind = st.segmented_control(
        "Where it is", list(SourceKind), default=SourceKind.UPLOAD, required=True,
        key="dataset.register.kind", format_func=_kind_label,
    )  # fmt: skip
    location, content = "", None
    if kind is SourceKind.UPLOAD:
        file = st.file_uploader(
            f"CSV or Parquet file, up to {LIMIT_MB} MB",
            type=["csv", "tsv", "txt", "parquet"],
            max_upload_size=LIMIT_MB,
            key="dataset.register.file",
        )
        if file is not None:
            location, content = file.name, file.getvalue()
    elif kind is SourceKind.PATH:
        location = st.text_input(
            "Path of the file", key="dataset.register.path", placeholder="~/data/customers.csv",
            help="On the machine this dashboard runs on.",
        )  # fmt: skip
    else:
        location = st.text_input(
            "URL of the file", key="dataset.register.url", placeholder="https://…/customers.csv"
        )
    with st.expander("How the file is written", icon=":material/tune:"):
        delimiter, decimal, encoding = st.columns(3)
        chosen = (
            delimiter.selectbox("Delimiter", list(DELIMITERS), key="dataset.register.delimiter"),
            decimal.selectbox("Decimal sign", list(DECIMALS), key="dataset.register.decimal"),
            encoding.selectbox("Encoding", list(ENCODINGS), key="dataset.register.encoding"),
        )
    location = location.strip()
    if not location:
        return None
    return DataSource(
        kind=kind,
        location=location,
        content=content,
        delimiter=DELIMITERS[chosen[0]],
        decimal=DECIMALS[chosen[1]],
        encoding=ENCODINGS[chosen[2]],
    )


def _kind_label(kind: SourceKind) -> str:
    return kind.value[0].upper() + kind.value[1:]


def _name(source: DataSource | None) -> tuple[str, str]:
    """Name and description; the name is suggested from the file's own."""
    suggested = usual_name(source.location) if source else ""
    name = st.text_input(
        "Name", suggested, key=f"dataset.register.name-{suggested}", max_chars=255
    ).strip()
    with failures.reported():
        known = {dataset.name: dataset.version for dataset in reads.datasets()}
        if name in known:
            st.caption(
                f":material/layers: Becomes version {known[name] + 1} of {formats.plain(name)}."
            )
        elif name:
            try:
                check_asset_name("dataset", name)
                st.caption(":material/fiber_new: A new dataset, version 1.")
            except InvalidRequestError as error:
                st.caption(f":material/error: {formats.sentence(str(error))}")
                name = ""
    description = st.text_input("Description", key="dataset.register.description", max_chars=500)
    return name, description


def usual_name(location: str) -> str:
    """A dataset name made from a file's: without folder, ending and odd characters."""
    path = urlsplit(location).path if "://" in location else location
    stem = PurePath(path.replace("\\", "/")).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:100]
