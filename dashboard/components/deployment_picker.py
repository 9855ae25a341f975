"""Which deployment a page is about; the choice is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from dashboard import economy
from services.domain import Deployment


def show(
    deployments: Sequence[Deployment], *, width: int | Literal["stretch"] = "stretch"
) -> Deployment:
    """Render the picker and return the chosen deployment. `deployments` is not empty.

    Args:
        width: pixels, in a toolbar.
    """
    return _picked(deployments, width, first=0) or deployments[0]


def choose(
    deployments: Sequence[Deployment], *, width: int | Literal["stretch"] = "stretch"
) -> Deployment | None:
    """`show`, for a page that asks more about the chosen one than the list tells.

    None while none is chosen, where asking is a request.
    """
    return _picked(deployments, width, first=None if economy.metered() else 0)


def _picked(
    deployments: Sequence[Deployment], width: int | Literal["stretch"], *, first: int | None
) -> Deployment | None:
    by_name = {deployment.name: deployment for deployment in deployments}
    name = st.selectbox(
        "Deployment",
        list(by_name),
        index=first,
        placeholder="Choose a deployment",
        key="deployment",
        bind="query-params",
        width=width,
    )
    return by_name.get(name or "")
