"""Why there is nothing to see, and the next step."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import formats
from dashboard.components import empty
from dashboard.insights_view import View
from services.domain import Deployment


def show(view: View, deployments: Sequence[Deployment]) -> None:
    """The first of the reasons that holds: nothing deployed, telemetry off, no traffic."""
    name = formats.plain(view.deployment or "")
    named = [each for each in deployments if view.deployment in (None, each.name)]
    if not named and view.deployment is None:
        empty.show(
            "Nothing is deployed yet, so there is no traffic to show.",
            page="models",
            label="Open Models to deploy one",
        )
    elif not named:
        empty.show(f"“{name}” is not deployed, and it had no requests in the {view.span}.")
    elif not any(each.telemetry_enabled for each in named):
        which = f"on “{name}”" if name else "on every deployment"
        empty.show(
            f"Application Insights is off {which}, so requests leave no trace.",
            page="deployment_health",
            label="Open Deployment health to turn it on",
            icon=":material/toggle_off:",
        )
    else:
        empty.show(
            f"No requests in the {view.span}. What is scored shows up here within seconds.",
            page="live_scoring",
            label="Open Live scoring to send one",
        )
