"""How an Azure workspace is opened, and what this release can do about it."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from services.errors import InvalidRequestError

NEEDED = ("subscription_id", "resource_group", "workspace_name")


def show(config: Path) -> None:
    """Plain words first: this release does not connect."""
    with st.container(border=True, key="azure"):
        st.markdown("**Azure workspace**")
        st.markdown(
            "This release opens local workspaces only; the Azure back end arrives with the next "
            "one. Started with `DASHBOARD_BACKEND=azure` today, every page says so and opens "
            "nothing. What to have ready for it:"
        )
        st.markdown(
            "1. In the Azure ML portal open your workspace and choose **Download config file**.\n"
            "2. Save it as `config.json` in the project's folder, or set "
            "`DASHBOARD_WORKSPACE_CONFIG` to where it is.\n"
            "3. Then `DASHBOARD_BACKEND=azure` chooses it. It holds names only, no secret: "
            "signing in stays with the Azure CLI, a service principal or a managed identity."
        )
        _show_found(config)


def _show_found(config: Path) -> None:
    if not config.exists():
        st.caption(f":material/search_off: No file at `{config}` yet.")
        return
    try:
        names = read(config)
    except InvalidRequestError as error:
        st.warning(str(error), icon=":material/warning:")
        return
    st.caption(
        f":material/check: `{config}` names the workspace `{names['workspace_name']}` in the "
        f"resource group `{names['resource_group']}`."
    )


def read(config: Path) -> dict[str, str]:
    """The three names in a downloaded ``config.json``.

    Raises:
        InvalidRequestError: it is not such a file; the message says what is missing.
    """
    try:
        content = json.loads(config.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(
            f"{config} cannot be read as JSON; download it from the portal again."
        ) from error
    names = content if isinstance(content, dict) else {}
    missing = [key for key in NEEDED if not isinstance(names.get(key), str)]
    if missing:
        raise InvalidRequestError(
            f"{config} does not name {', '.join(missing)}; download it from the portal again."
        )
    return {key: names[key] for key in NEEDED}
