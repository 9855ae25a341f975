"""How a load test's worker learns the address and the key of a deployment that lives elsewhere.

Whoever asks for the test has both at that moment. They wait in a file that only this
account can read; the worker removes it as it reads it, and nobody else needs it.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = "target.json"
WAITS_S = 60.0  # for a worker, then it is removed unread
# How this process reaches the outside; the supervisor may have been started another way.
SURROUNDINGS = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    uri: str
    key: str | None = field(default=None, repr=False)
    surroundings: Mapping[str, str] = field(default_factory=dict, repr=False)


def leave(folder: Path, uri: str, key: str | None) -> None:
    """Have the worker of the test in `folder` find both, for a minute."""
    pass_on(folder, Handover(uri=uri, key=key, surroundings=_surroundings(os.environ)))


def pass_on(folder: Path, handover: Handover) -> None:
    """The same, of what was left for whoever now asks for the test in `folder`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(handover), file)
    removal = threading.Timer(WAITS_S, discard, [folder])
    removal.daemon = True
    removal.start()


def take(folder: Path) -> Handover | None:
    """What was left, once; None when nobody left anything, or it waited too long."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
        path.unlink()
    except FileNotFoundError:
        return None
    return Handover(**json.loads(text))


def discard(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)


def discard_old(load_tests: Path) -> None:
    """What nobody fetched, and whoever left it did not live to remove."""
    for path in load_tests.glob(f"*/{FILE}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > WAITS_S:
                path.unlink()


def _surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    names = (*SURROUNDINGS, *(each.lower() for each in SURROUNDINGS))
    return {name: environment[name] for name in names if name in environment}
