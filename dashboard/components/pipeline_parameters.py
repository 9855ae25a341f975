"""The parameters of a pipeline as fields: each with its default, only changes are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.pipeline_facts import changed
from services.domain import PipelineParameter


def show(
    parameters: Sequence[PipelineParameter], given: Mapping[str, str], *, key: str
) -> dict[str, str]:
    """Draw one field per parameter; returns the values that differ from the defaults."""
    if not parameters:
        st.caption("This pipeline has no parameters.")
        return {}
    values = {}
    left, right = st.columns(2, gap="small")
    for place, parameter in enumerate(parameters):
        with right if place % 2 else left:
            values[parameter.name] = st.text_input(
                parameter.name,
                given.get(parameter.name, parameter.default),
                key=f"{key}.{parameter.name}",
                help=f"{parameter.description}. Default: {parameter.default or 'empty'}",
            )
    return changed({each.name: each.default for each in parameters}, values)
