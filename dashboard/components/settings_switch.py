"""Opening another workspace, here and now: the local one, or one of Azure ML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from dashboard import azure_choice, choices, formats, readings, reads, session
from dashboard.choices import Origin
from dashboard.components import failures, settings_connection
from dashboard.settings import (
    BACKEND,
    CLIENT,
    CLOUD,
    CLOUDS,
    GROUP,
    SECRET,
    SIGN_IN,
    SIGN_INS,
    SUBSCRIPTION,
    TENANT,
    TOKEN,
    WORKSPACE,
    Backend,
    Settings,
)
from services.errors import InvalidRequestError

BACKENDS = {Backend.LOCAL.value: "Local", Backend.AZURE.value: "Azure ML"}
BY_IDS, BY_FILE, BY_PATH = "Three ids", "Upload config.json", "Path of config.json"
NONCE = "settings.switched"  # counts switches: a secret's field is a new, empty one after each


def show(settings: Settings) -> None:
    """The form at the left, what a connection test found at the right."""
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, key="settings-switch"):
        st.markdown("**Open a workspace**")
        backend = st.segmented_control(
            "Back end", list(BACKENDS), default=settings.backend.value, required=True,
            format_func=BACKENDS.__getitem__, key="settings.backend",
        )  # fmt: skip
        if backend == Backend.LOCAL:
            _local(settings)
            tested = None
        else:
            tested = _azure(settings)
        _environment()
    with right:
        settings_connection.show(tested)


def _local(settings: Settings) -> None:
    st.markdown(f"In the folder {formats.plain(str(settings.home))}, with all it keeps.")
    if st.button(
        "Open the local workspace", key="settings.open-local", type="primary",
        icon=":material/folder_open:",
        disabled=(opened := session.opened()) is not None and opened.backend == Backend.LOCAL,
    ):  # fmt: skip
        with failures.reported():
            _switch({BACKEND: Backend.LOCAL.value}, keep_secret=choices.secret_is_kept())


def _azure(settings: Settings) -> Mapping[str, str] | None:
    """Draws the fields; answers what to test when that was asked for."""
    with failures.reported():
        problem = None
        described = {BACKEND: Backend.AZURE.value}
        try:
            described |= _names(settings)
        except InvalidRequestError as error:
            problem = error  # said when something is to be done with it
        described |= _sign_in(settings)
        keep = _keep(described)
        with st.container(horizontal=True, horizontal_alignment="right"):
            test = st.button(
                "Test connection", key="settings.test", icon=":material/network_check:"
            )
            opened = st.button(
                "Open this workspace", key="settings.open-azure", type="primary",
                icon=":material/cloud:",
            )  # fmt: skip
        if problem is not None and (test or opened):
            raise problem
        if opened:
            with st.spinner("Signing in and looking for the workspace…"):
                _switch(described, keep_secret=keep)
        if test:
            return described
    return None


def _names(settings: Settings) -> Mapping[str, str]:
    """Which workspace, in one of three ways."""
    how = st.segmented_control(
        "Which one", (BY_IDS, BY_FILE, BY_PATH), default=BY_IDS, required=True, key="settings.how"
    )
    if how == BY_FILE:
        file = st.file_uploader(
            "config.json, as downloaded from the portal", type="json", key="settings.config"
        )
        if file is None:
            raise InvalidRequestError("Choose the config.json that the Azure ML portal offers.")
        found = azure_choice.from_text(file.getvalue().decode("utf-8", "replace"), name=file.name)
    elif how == BY_PATH:
        path = st.text_input("Path", str(settings.workspace_config), key="settings.path")
        found = azure_choice.from_file(Path(path))
    else:
        known = settings.variables
        subscription = st.text_input(
            "Subscription id", known.get(SUBSCRIPTION, ""), key="settings.subscription"
        )
        left, right = st.columns(2)
        group = left.text_input("Resource group", known.get(GROUP, ""), key="settings.group")
        name = right.text_input(
            "Workspace name", known.get(WORKSPACE, ""), key="settings.workspace"
        )
        ids = {SUBSCRIPTION: subscription, GROUP: group, WORKSPACE: name}
        return azure_choice.complete(ids)
    st.caption(f":material/check: {found[WORKSPACE]} in {found[GROUP]}, {found[SUBSCRIPTION]}")
    return found


def _sign_in(settings: Settings) -> Mapping[str, str]:
    known = settings.variables
    first, second = st.columns(2)
    kind = first.selectbox(
        "Sign-in", list(SIGN_INS), index=_index(SIGN_INS, known.get(SIGN_IN)),
        format_func=SIGN_INS.__getitem__, key="settings.sign-in",
        help="Nothing here waits for a browser: it works in a container.",
    )  # fmt: skip
    cloud = second.selectbox(
        "Cloud", list(CLOUDS), index=_index(CLOUDS, known.get(CLOUD)),
        format_func=CLOUDS.__getitem__, key="settings.cloud",
    )  # fmt: skip
    described = {SIGN_IN: kind, CLOUD: cloud}
    nonce = st.session_state.get(NONCE, 0)
    if kind == "service-principal":
        tenant, client = st.columns(2)
        described[TENANT] = tenant.text_input(
            "Tenant id", known.get(TENANT, ""), key="settings.tenant"
        ).strip()
        described[CLIENT] = client.text_input(
            "Client id", known.get(CLIENT, ""), key="settings.client"
        ).strip()
        secret = st.text_input(
            "Client secret", key=f"settings.secret-{nonce}", type="password", autocomplete="off",
            placeholder="keep the one that is set" if known.get(SECRET) else "",
        )  # fmt: skip
        return described | ({SECRET: secret} if secret else {})
    if kind == "managed-identity":
        described[CLIENT] = st.text_input(
            "Client id of a user-assigned identity", known.get(CLIENT, ""),
            key="settings.identity", placeholder="empty: the system's own",
        ).strip()  # fmt: skip
    elif kind == "token":
        token = st.text_input(
            "Access token for Azure Resource Manager", key=f"settings.token-{nonce}",
            type="password", autocomplete="off",
            placeholder="keep the one that is set" if known.get(TOKEN) else "",
            help="Expires within hours; Application Insights asks for a token of its own.",
        )  # fmt: skip
        return described | ({TOKEN: token} if token else {})
    else:
        st.caption("Uses the account that `az login` signed in on this machine.")
    return described


def _index(known: Mapping[str, str], value: str | None) -> int:
    return list(known).index(value) if value is not None and value in known else 0


def _keep(described: Mapping[str, str]) -> bool:
    """Whether the client secret goes into a file; says where secrets are otherwise."""
    if described.get(SIGN_IN) != "service-principal":
        return choices.secret_is_kept()
    keep = st.toggle(
        "Remember the secret", choices.secret_is_kept(), key="settings.keep",
        help=f"In {formats.plain(str(choices.settings().home / choices.SECRET_FILE))}, as plain "
        "text that only this account can read.",
    )  # fmt: skip
    st.caption(
        "The secret is kept in this process's memory until it ends"
        + (", and in a file only this account can read." if keep else "; it is never shown.")
    )
    return keep


def _switch(described: Mapping[str, str], *, keep_secret: bool) -> None:
    workspace = session.switch(described, keep_secret=keep_secret)
    readings.forget()
    reads.clear()
    st.session_state[NONCE] = st.session_state.get(NONCE, 0) + 1
    settings_connection.forget()
    st.toast(f"Opened {workspace.name}", icon=":material/check_circle:")
    st.rerun()


def _environment() -> None:
    """What decides again at the next start."""
    fixed = [name for name, origin in choices.origins().items() if origin is Origin.ENVIRONMENT]
    told = [name for name in fixed if name != "DASHBOARD_HOME"]
    if told:
        st.caption(
            f":material/info: Set in the environment, which decides again at the next start: "
            f"{', '.join(f'`{name}`' for name in told)}."
        )
