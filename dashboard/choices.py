"""Which workspace to open: as chosen here, as the environment says, as chosen another day.

The strongest first. What an operator chooses on the settings page holds for this process
at once, and is remembered in DASHBOARD_HOME for the next one, where the environment wins
over it. A secret is kept in this process's memory, and in a file that only this account
can read when the operator asks for that.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from dashboard.settings import HOME, SECRET, SETTINGS, WORKSPACE_CONFIG, Setting, Settings
from services.errors import InvalidRequestError, UnavailableError

FILE, SECRET_FILE = "dashboard.json", "azure-client-secret"
IDS = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_ML_WORKSPACE")
KEPT = tuple(each.variable for each in SETTINGS if each.variable != HOME and not each.secret)


class Origin(StrEnum):
    CHOSEN = "chosen here"
    ENVIRONMENT = "environment"
    REMEMBERED = "remembered"
    DEFAULT = "default"


_chosen: dict[str, str] = {}
_lock = threading.Lock()


def settings(chosen: Mapping[str, str] | None = None) -> Settings:
    """What is in force, or what would be if `chosen` were chosen.

    Raises:
        InvalidRequestError: the back end has an unknown name.
        UnavailableError: what was remembered cannot be read.
    """
    values, _ = _layered(chosen or {})
    try:
        return Settings.from_env(values)
    except ValueError as error:
        raise InvalidRequestError(
            f"{error} Start the dashboard again after changing it."
        ) from error


def origins() -> Mapping[str, Origin]:
    """Variable → where the value in force came from."""
    return _layered({})[1]


def choose(values: Mapping[str, str], *, keep_secret: bool) -> None:
    """Let `values` hold from now on, and remember them, secrets apart.

    Args:
        values: by variable; an empty value says that there is none.
        keep_secret: keep the client secret in a file, readable by this account only.

    Raises:
        UnavailableError: the folder cannot be written; nothing was chosen.
    """
    home = settings().home
    remembered = {**_remembered(home), **{name: values[name] for name in KEPT if name in values}}
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(home / FILE, json.dumps(remembered, indent=2, sort_keys=True))
        if not keep_secret:
            (home / SECRET_FILE).unlink(missing_ok=True)
        elif values.get(SECRET):
            _write(home / SECRET_FILE, values[SECRET])
    except OSError as error:
        raise UnavailableError(
            f"The choice cannot be remembered in {home}: {error.strerror}."
        ) from error
    with _lock:
        _chosen.update(values)


def forget() -> None:
    """Drop what was chosen in this process; what is remembered stays."""
    with _lock:
        _chosen.clear()


def secret_is_kept() -> bool:
    """Whether a client secret lies in its file."""
    return (settings().home / SECRET_FILE).exists()


def _layered(chosen: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Origin]]:
    with _lock:
        here = {**_chosen, **chosen}
    env = {name: value for name, value in os.environ.items() if value}
    home_setting = next(each for each in SETTINGS if each.variable == HOME)
    remembered = _remembered(Path(home_setting.value(env)).expanduser())
    if env.get(WORKSPACE_CONFIG):  # the environment names a file: older ids must not win over it
        remembered = {name: value for name, value in remembered.items() if name not in IDS}
    values: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    for setting in SETTINGS:
        values[setting.variable], origins[setting.variable] = _strongest(
            setting, here, env, remembered
        )
    return values, origins


def _strongest(
    setting: Setting, here: Mapping[str, str], env: Mapping[str, str], remembered: Mapping[str, str]
) -> tuple[str, Origin]:
    if setting.variable in here:
        return here[setting.variable], Origin.CHOSEN
    if given := setting.given(env):
        return given, Origin.ENVIRONMENT
    if given := remembered.get(setting.variable, ""):
        return given, Origin.REMEMBERED
    return setting.default, Origin.DEFAULT


def _remembered(home: Path) -> dict[str, str]:
    """What an earlier choice left in the folder.

    Raises:
        UnavailableError: the file is there and cannot be read; the message says what to do.
    """
    values: dict[str, str] = {}
    try:
        if (home / FILE).exists():
            stored = json.loads((home / FILE).read_text("utf-8"))
            values = {name: str(stored[name]) for name in KEPT if stored.get(name)}
        if (home / SECRET_FILE).exists():
            values[SECRET] = (home / SECRET_FILE).read_text("utf-8")
    except (OSError, ValueError, AttributeError) as error:
        raise UnavailableError(
            f"What was chosen earlier cannot be read from {home / FILE}: {error}. "
            "Remove the file to start from the environment."
        ) from error
    return values


def _write(path: Path, text: str) -> None:
    """All of it or nothing, for this account's eyes only from the first byte."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
