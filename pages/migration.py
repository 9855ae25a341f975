"""Migration: what of SDK v1 has ended, where each asset would go, and the code of every action."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, side_by_side
from dashboard.components import (
    failures,
    migration_code,
    migration_report,
    migration_sunset,
    on_request,
    page_header,
)
from services.migration.report import moves

page_header.show("Migration", "SDK v1 has an end: what it means here, and the way to v2")

migration_sunset.show(datetime.now(UTC).date())

report, code = st.tabs(["Assets", "Code"], key="part", bind="query-params", on_change="rerun")
if report.open:
    with report, failures.explained():
        if on_request.show(
            "migration.assets",
            "Where each asset would go takes six requests to Azure.",
            "List the assets",
        ):
            side_by_side.ahead(
                reads.datasets, reads.models, reads.deployments,
                reads.pipelines, reads.pipeline_endpoints, reads.schedules,
            )  # fmt: skip
            migration_report.show(
                moves(
                    datasets=reads.datasets(),
                    models=reads.models(),
                    deployments=reads.deployments(),
                    pipelines=reads.pipelines(),
                    endpoints=reads.pipeline_endpoints(),
                    schedules=reads.schedules(),
                )
            )
if code.open:
    with code:
        migration_code.show()
