"""Which Azure ML workspace an operator describes, as variables to choose (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dashboard.settings import GROUP, SUBSCRIPTION, WORKSPACE
from services.errors import InvalidRequestError

NAMES = {SUBSCRIPTION: "subscription_id", GROUP: "resource_group", WORKSPACE: "workspace_name"}


def from_file(path: Path) -> Mapping[str, str]:
    """The three ids in the portal's ``config.json``.

    Raises:
        InvalidRequestError: there is no such file, or it is another one.
    """
    try:
        text = path.expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"{path} cannot be read: download config.json from the Azure ML portal, and name the "
            "place it was saved to."
        ) from error
    return from_text(text, name=str(path))


def from_text(text: str, *, name: str) -> Mapping[str, str]:
    """As `from_file`, of what an uploaded file holds."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InvalidRequestError(
            f"{name} is not JSON: download config.json from the Azure ML portal again."
        ) from error
    found = content if isinstance(content, dict) else {}
    return complete({variable: str(found.get(key) or "") for variable, key in NAMES.items()}, name)


def complete(ids: Mapping[str, str], name: str = "The form") -> Mapping[str, str]:
    """The ids without blanks around them.

    Raises:
        InvalidRequestError: one of them is missing.
    """
    trimmed = {variable: ids[variable].strip() for variable in NAMES}
    if missing := [NAMES[variable] for variable, value in trimmed.items() if not value]:
        raise InvalidRequestError(f"{name} does not name {', '.join(missing)}.")
    return trimmed
