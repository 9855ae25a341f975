"""Which deployment a page is about; the choice is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from services.domain import Deployment


def show(
    deployments: Sequence[Deployment], *, width: int | Literal["stretch"] = "stretch"
) -> Deployment:
    """Render the picker and return the chosen deployment. `deployments` is not empty.

    Args:
        width: pixels, in a toolbar.
    """
    by_name = {deployment.name: deployment for deployment in deployments}
    name = st.selectbox(
        "Deployment", list(by_name), key="deployment", bind="query-params", width=width
    )
    return by_name.get(name, deployments[0])
