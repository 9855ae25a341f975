"""Published pipelines and the endpoints in front of them, disabled ones too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard.components import pipeline_address, pipeline_columns, state_badge
from dashboard.pipeline_facts import Catalog
from services.domain import AssetStatus, PipelineKind, PipelineRun, RunStatus, Schedule

TALL, TALL_HEIGHT = 10, 390  # rows from which the table scrolls, pixels it then has


def show(
    catalog: Catalog,
    schedules: Sequence[Schedule] | None,
    runs: Sequence[PipelineRun] | None,
    *,
    now: datetime,
    zone: tzinfo,
) -> None:
    """Draw the pipelines; the name of one opens it. There is at least one.

    Args:
        schedules: None where they were not asked for; then nothing is said of them.
        runs: likewise.
    """
    pipelines = list(catalog.pipelines.values())

    def opened(ids: tuple[str, ...]) -> None:
        pipeline_address.open("pipeline", ids[st.session_state["pipelines.open"]["row"]])
        pipeline_address.close("endpoint")

    last = {run.pipeline_id: run for run in reversed(runs or ())}
    used = [catalog.behind(each) for each in schedules or () if each.status is AssetStatus.ACTIVE]
    results = [last.get(each.id) for each in pipelines]
    frame = pd.DataFrame(
        {
            "Pipeline": [each.name for each in pipelines],
            "Version": [each.version for each in pipelines],
            "Status": [[each.status.value] for each in pipelines],
            "Kind": [each.kind.value for each in pipelines],
            "Active schedules": [used.count(each) for each in pipelines],
            "Published": pd.Series(
                [each.created_at for each in pipelines], dtype="datetime64[us, UTC]"
            ),
            "Last run": pd.Series(
                [run.created_at if run else None for run in results], dtype="datetime64[us, UTC]"
            ),
            "Result": [[run.status.value] if run else [] for run in results],
        }
    )
    if all(each.kind is PipelineKind.OTHER for each in pipelines):
        del frame["Kind"]  # what a pipeline does is known only of those published here
    if schedules is None:
        del frame["Active schedules"]
    if runs is None:
        frame = frame.drop(columns=["Last run", "Result"])
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(pipelines) <= TALL else TALL_HEIGHT,
        column_config={
            "Pipeline": st.column_config.ButtonColumn(
                "Pipeline", type="tertiary", alignment="left", key="pipelines.open", pinned=True,
                on_click=opened, args=(tuple(each.id for each in pipelines),),
            ),
            "Version": st.column_config.TextColumn("Version", width=70),
            "Status": state_badge.column("Status", AssetStatus, width=100),
            "Active schedules": st.column_config.NumberColumn("Schedules", width=90),
            "Published": pipeline_columns.instant("Published", zone),
            "Last run": pipeline_columns.instant("Last run", zone),
            "Result": state_badge.column("Result", RunStatus, width=120),
        },
        placeholder="–",
        alt="Published pipelines with version, status, schedules and last result",
        key="pipelines.table",
    )  # fmt: skip


def endpoints(catalog: Catalog) -> None:
    """Draw the pipeline endpoints; the name of one opens it. There is at least one."""
    found = list(catalog.endpoints.values())

    def opened(ids: tuple[str, ...]) -> None:
        pipeline_address.open("endpoint", ids[st.session_state["endpoints.open"]["row"]])
        pipeline_address.close("pipeline")

    st.dataframe(
        pd.DataFrame(
            {
                "Endpoint": [each.name for each in found],
                "Status": [[each.status.value] for each in found],
                "Default version": [each.default_version for each in found],
                "Submits": [_submits(catalog, each.id) for each in found],
                "Versions": [len(each.versions) for each in found],
            }
        ),
        hide_index=True,
        height="content" if len(found) <= TALL else TALL_HEIGHT,
        column_config={
            "Endpoint": st.column_config.ButtonColumn(
                "Endpoint", type="tertiary", alignment="left", key="endpoints.open", pinned=True,
                on_click=opened, args=(tuple(each.id for each in found),),
            ),
            "Status": state_badge.column("Status", AssetStatus, width=100),
        },
        alt="Pipeline endpoints with status and default version",
        key="endpoints.table",
    )  # fmt: skip


def _submits(catalog: Catalog, endpoint_id: str) -> str:
    pipeline = catalog.behind_endpoint(endpoint_id)
    return catalog.title(pipeline.id if pipeline else None)
