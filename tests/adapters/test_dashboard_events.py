"""The dashboard's own actions and failures reach the workspace's telemetry, through the SDK."""

from __future__ import annotations

import time

import pytest
import streamlit as st

from dashboard import events, session
from services.domain import DataSource, SourceKind
from tests.recorded import telemetry as recorded

LIMIT_S = 60.0


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("DASHBOARD_HOME", str(tmp_path / "workspace"))
    monkeypatch.delenv("DASHBOARD_BACKEND", raising=False)
    st.cache_resource.clear()
    yield session.workspace()
    st.cache_resource.clear()


def _register(workspace) -> None:
    source = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=b"a,y\n1,yes\n2,no\n")
    workspace.datasets.register("bank", source)


def _rows(workspace, kql: str):
    deadline = time.monotonic() + LIMIT_S
    while True:
        frame = workspace.telemetry.query(kql).frame
        if len(frame) or time.monotonic() > deadline:
            return frame
        time.sleep(0.1)


def test_an_action_arrives_with_its_subject_and_no_values(workspace):
    with recorded.answering(workspace.home):
        _register(workspace)
        events.acted()

        rows = _rows(workspace, "customEvents | project name, customDimensions, cloud_RoleName")

    assert rows["name"].tolist() == ["dataset.register"]
    assert rows["cloud_RoleName"].tolist() == ["dashboard"]
    assert "bank" in str(rows["customDimensions"].iloc[0])


def test_an_action_is_told_once(workspace):
    with recorded.answering(workspace.home):
        _register(workspace)
        events.acted()
        events.acted()
        _register(workspace)
        events.acted()

        _rows(workspace, "customEvents | summarize n = count() | where n >= 2")
        time.sleep(1.5)  # a third would have come with the second
        count = workspace.telemetry.query("customEvents | count").frame.iloc[0, 0]

    assert count == 2


def test_a_failure_arrives_as_an_exception(workspace):
    with recorded.answering(workspace.home):
        try:
            raise ZeroDivisionError("a page failed")
        except ZeroDivisionError as error:
            events.failed(error)

        rows = _rows(workspace, "exceptions | project type, outerMessage")

    assert rows["type"].tolist() == ["ZeroDivisionError"]


def test_with_telemetry_down_nothing_waits_and_nothing_piles_up(workspace):
    with recorded.answering(workspace.home):
        address = workspace.telemetry.connection_string
    assert address

    _register(workspace)
    started = time.process_time()
    events.acted()
    time.sleep(1.0)

    assert time.process_time() - started < 0.5


def test_before_telemetry_ever_ran_there_is_nowhere_to_tell(workspace):
    _register(workspace)

    events.acted()
    events.failed(ZeroDivisionError())
