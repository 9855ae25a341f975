"""The SDK's workspace is opened once, however many ask for it first at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from services.azure.connection import Connection
from services.azure.sign_in import AzureConfig
from services.errors import ServiceError
from services.local.desk import LocalDesk
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double

AT_ONCE = 6


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture
def connection(azure: Double) -> Iterator[Connection]:
    config = AzureConfig.read(Path(azure.environment["DASHBOARD_WORKSPACE_CONFIG"]))
    desk = LocalDesk(azure.engine.home, azure.engine.store, workspace="test")
    yield Connection(config, desk.journal)
    azure.misbehave()


def names(connection: Connection) -> list[str]:
    """What each of six threads was answered that asked at once: the name, or what was wrong."""
    together = Barrier(AT_ONCE)

    def ask(_: int) -> str:
        together.wait()
        try:
            return connection.call("workspace", lambda workspace: workspace.name)
        except ServiceError as error:
            return str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def test_six_at_once_open_it_with_three_questions(azure, connection):
    azure.asked()

    assert names(connection) == ["ws-loopback"] * AT_ONCE

    asked = [each for each in azure.asked() if "management.azure.com" in each]
    assert len(asked) == 3, asked
    assert names(connection) == ["ws-loopback"] * AT_ONCE
    assert azure.asked() == []


def test_a_failed_opening_is_told_to_all_and_tried_again_by_the_next(azure, connection):
    azure.misbehave(Fault(pattern=r"GET management.azure.com.*/workspaces/[^/]+$", status=503))
    assert all("HTTP 503" in each for each in names(connection))

    azure.misbehave()

    assert names(connection) == ["ws-loopback"] * AT_ONCE
