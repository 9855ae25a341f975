"""A workspace that is watched, its clock in hand, and a receiver on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.alerts.watching import Watch
from services.local.alert_outbox import Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.messenger import Messenger
from services.local.workspace import LocalWorkspace
from tests import receivers
from tests.recorded import overview

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Now:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **length: float) -> None:
        self.at += timedelta(**length)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def workspace(tmp_path: Path, now: Now) -> LocalWorkspace:
    opened = LocalWorkspace(tmp_path, clock=now)
    overview.supervised(opened.store)
    return opened


@pytest.fixture
def outbox(workspace) -> Outbox:
    return Outbox(workspace.store)


@pytest.fixture
def watch(workspace, outbox) -> Watch:
    return Watch(workspace, outbox)


@pytest.fixture
def messenger(workspace, outbox, now) -> Messenger:
    return Messenger(workspace, outbox, ChannelSecrets(workspace.home), clock=now)


@pytest.fixture
def hook():
    with receivers.webhook() as taken:
        yield taken
