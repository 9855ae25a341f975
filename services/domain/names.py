"""Which names an asset may have, and names taken apart."""

from __future__ import annotations

import re

from services.errors import InvalidRequestError


def check_deployment_name(name: str) -> None:
    """Refuse a name that Azure ML would refuse, whichever adapter is in use.

    Raises:
        InvalidRequestError: the rule, in words.

    Source: azureml-core 1.61.0, ``webservice_name_validation``.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", name):
        raise InvalidRequestError(
            "A deployment name has 3 to 32 lowercase letters, digits or dashes; "
            "it starts with a letter and does not end with a dash."
        )


def check_asset_name(kind: str, name: str) -> None:
    """Refuse a dataset, model or experiment name that could not be part of a path.

    Raises:
        InvalidRequestError: the rule, in words.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._ ()-]{0,253}[A-Za-z0-9._)-])?", name):
        raise InvalidRequestError(
            f"A {kind} name starts with a letter or a digit and has at most 255 letters, digits, "
            "spaces, dots, dashes, underscores or parentheses."
        )


def split_id(kind: str, asset_id: str) -> tuple[str, int]:
    """The name and version in a ``name:version`` id.

    Raises:
        InvalidRequestError: it is not of that form.
    """
    name, separator, version = asset_id.rpartition(":")
    if not separator or not name or not version.isdigit():
        raise InvalidRequestError(f"“{asset_id}” is no {kind} id; it is written name:version.")
    return name, int(version)
