"""Who is in front of the screen: anybody, unless sign-in is set up in ``secrets.toml``.

``[auth]`` is Streamlit's own section for an OpenID Connect provider, ``[roles]`` lists who
may do what. Without ``[auth]`` the dashboard is open, and everybody is this account.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services.access import Actor, Role, role_of
from services.errors import AccessDeniedError, InvalidRequestError

LOOK_AGAIN_S = 1.0  # for a file that is not there: Streamlit looks at every question, for long

_absent_until = 0.0


def required() -> bool:
    """Whether one has to sign in."""
    return bool(_section("auth"))


def visitor() -> Actor | None:
    """Who asks in this session; None where nobody has to sign in, and for the server itself.

    Raises:
        AccessDeniedError: nobody has signed in, or they have no role here.
    """
    if get_script_run_ctx() is None or not required():
        return None
    if not st.user.is_logged_in:
        raise AccessDeniedError("Sign in to open the workspace.")
    return _actor()


def require(role: Role) -> None:
    """Raises AccessDeniedError: the visitor's role is a lower one."""
    found = visitor()
    if found is not None and not found.role.may(role):
        raise AccessDeniedError(f"Your role, {found.role}, does not allow this: it takes {role}.")


def may(role: Role) -> bool:
    """Whether to offer what takes this role. The ports decide in the end."""
    found = visitor()
    return found is None or found.role.may(role)


def _actor() -> Actor:
    name = str(st.user.get("email") or st.user.get("preferred_username") or "")
    if not name:
        raise AccessDeniedError("The identity provider told neither an e-mail address nor a name.")
    if st.user.get("email_verified") is False:
        raise AccessDeniedError(f"The address {name} has not been verified by its provider.")
    try:
        role = role_of(name, _section("roles"))
    except InvalidRequestError as error:
        raise AccessDeniedError(str(error)) from error
    if role is None:
        raise AccessDeniedError(
            f"{name} has no role in this dashboard. Ask an admin to add it to [roles]."
        )
    return Actor(name, role)


def _section(name: str) -> Mapping[str, Any]:
    global _absent_until
    if time.monotonic() < _absent_until:
        return {}
    try:
        found: Mapping[str, Any] = st.secrets.get(name, {})
        return found
    except StreamlitSecretNotFoundError:  # no file: nothing is set up
        _absent_until = time.monotonic() + LOOK_AGAIN_S
        return {}
