"""Every registered model: where it came from, how good it is and who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import empty
from services.domain import Deployment, Model

OPEN, OTHER = ":material/radio_button_checked:", ":material/radio_button_unchecked:"
TALL, TALL_HEIGHT = 8, 320  # rows from which the table scrolls, pixels it then has


def show(
    models: Sequence[Model], deployments: Sequence[Deployment], *, chosen: str, zone: tzinfo
) -> None:
    """Draw filter and table. Opening a model puts its id into the address.

    Args:
        chosen: the id of the version that is open now; it is marked.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Search", key="search", type="search", bind="query-params", width=260, live=True,
            placeholder="Name, tag, dataset …", label_visibility="collapsed",
        )  # fmt: skip
        latest = st.toggle("Latest versions only", key="latest", bind="query-params")
        found = matching(models, text=text or "", latest=latest)
        st.space("stretch")
        st.caption(
            formats.plural(len(found), "version")
            + (f" of {formats.count(len(models))}" if len(found) < len(models) else ""),
            width="content",
        )
    if not found:
        empty.show("No model matches. Clear the search or show every version.")
        return
    _table(found, users(deployments), chosen=chosen, zone=zone)


def matching(models: Sequence[Model], *, text: str, latest: bool) -> tuple[Model, ...]:
    """The versions that contain the text anywhere an operator sees it."""
    newest: dict[str, int] = {}
    for model in models:
        newest[model.name] = max(model.version, newest.get(model.name, 0))
    needle = text.strip().casefold()
    return tuple(
        model
        for model in models
        if (not latest or model.version == newest[model.name]) and needle in _searched(model)
    )


def users(deployments: Sequence[Deployment]) -> Mapping[str, tuple[str, ...]]:
    """Model id → names of the deployments that serve it, by name."""
    found: dict[str, tuple[str, ...]] = {}
    for deployment in sorted(deployments, key=lambda each: each.name):
        found[deployment.model_id] = (*found.get(deployment.model_id, ()), deployment.name)
    return found


def score(model: Model) -> float | None:
    """What it reached on its primary metric, as far as the registration says."""
    text = model.properties.get("score")
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def open_model(model_id: str) -> None:
    """Make the address ask for this version; the next rerun shows it."""
    st.query_params["model"] = model_id


def _searched(model: Model) -> str:
    tags = " ".join(f"{name}={value}" for name, value in model.tags.items())
    parts = (model.id, model.algorithm, model.dataset_id, model.description, tags, model.run_id)
    return " ".join(filter(None, parts)).casefold()


def _table(
    models: Sequence[Model], used: Mapping[str, tuple[str, ...]], *, chosen: str, zone: tzinfo
) -> None:
    def opened(ids: tuple[str, ...]) -> None:
        open_model(ids[st.session_state["models.open"]["row"]])

    frame = pd.DataFrame(
        {
            "Model": [f"{OPEN if model.id == chosen else OTHER} {model.id}" for model in models],
            "Algorithm": [model.algorithm for model in models],
            "Metric": [model.properties.get("primary_metric") for model in models],
            "Score": pd.Series([score(model) for model in models], dtype="float64"),
            "Used by": [list(used.get(model.id, ())) for model in models],
            "Dataset": [model.dataset_id for model in models],
            "Tags": [[f"{k}: {v}" if v else k for k, v in model.tags.items()] for model in models],
            "Registered": pd.Series(
                [model.created_at if model.readable else None for model in models],
                dtype="datetime64[us, UTC]",
            ),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(models) <= TALL else TALL_HEIGHT,
        column_config={
            "Model": st.column_config.ButtonColumn(
                "Model", type="tertiary", alignment="left", key="models.open", pinned=True,
                on_click=opened, args=(tuple(model.id for model in models),), width=205,
            ),
            "Algorithm": st.column_config.TextColumn("Algorithm", width=150),
            "Metric": st.column_config.TextColumn("Primary metric", width=108),
            "Score": st.column_config.NumberColumn(
                "Score", format="%.4f", width=62, help="What its search ranked it by"
            ),
            "Used by": st.column_config.ListColumn(
                "Used by", help="Deployments that serve this version", width=120
            ),
            "Dataset": st.column_config.TextColumn("Dataset", width=150),
            "Tags": st.column_config.ListColumn("Tags", width=140),
            "Registered": st.column_config.DatetimeColumn(
                "Registered", format="D MMM, HH:mm", timezone=str(zone), width=100,
                help="In your time zone, " + str(zone),
            ),
        },
        placeholder="–",
        alt="Registered models with algorithm, score, dataset, tags and the deployments using them",
        key="models.table",
    )  # fmt: skip
