"""The dashboard keeps a watcher for the Azure workspace that is chosen, and one only."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from dashboard import choices, opening, supervision
from dashboard.settings import ROOT
from dashboard.watch import HELD_ELSEWHERE
from services.errors import InvalidRequestError
from tests.azure_double.hand import Double, double

LIMIT_S = 120.0
SECRET = "a-secret-nobody-sees"


@pytest.fixture
def chosen(tmp_path, monkeypatch) -> Iterator[None]:
    """An Azure workspace, by variables only."""
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    monkeypatch.setenv("DASHBOARD_HOME", str(tmp_path))
    choices.forget()
    yield
    choices.forget()


def test_a_secret_reaches_the_watcher_in_its_environment_only(chosen):
    choices.choose({"AZURE_CLIENT_SECRET": SECRET}, keep_secret=False)

    kept = supervision.watcher(choices.settings())

    assert kept is not None and kept.environment is not None
    assert kept.environment["AZURE_CLIENT_SECRET"] == SECRET
    assert SECRET not in " ".join(kept.arguments)
    assert SECRET not in repr(kept)


def test_what_is_no_longer_chosen_does_not_reach_it(chosen, monkeypatch):
    monkeypatch.setenv("AZUREML_SERVICE_PRINCIPAL_PASSWORD", "of another day")
    choices.choose({"AZURE_CLIENT_SECRET": ""}, keep_secret=False)

    kept = supervision.watcher(choices.settings())

    assert kept is not None and kept.environment is not None
    assert "of another day" not in kept.environment.values()


def test_a_local_workspace_has_its_own_watcher_and_zero_means_none(chosen, monkeypatch):
    monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", "0")
    assert supervision.watcher(choices.settings()) is None

    monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", "60")
    monkeypatch.setenv("DASHBOARD_BACKEND", "local")
    assert supervision.watcher(choices.settings()) is None


@pytest.mark.parametrize("every", ["soon", "5", "-1", "4000"])
def test_a_pace_nobody_can_keep_is_refused(chosen, monkeypatch, every):
    monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", every)

    with pytest.raises(InvalidRequestError, match="DASHBOARD_AZURE_WATCH_S"):
        choices.settings()


@pytest.fixture
def azure(tmp_path, monkeypatch) -> Iterator[Double]:
    (tmp_path / "azure").mkdir()
    with double(tmp_path / "azure") as azure, azure.surroundings():
        monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
        monkeypatch.setenv("DASHBOARD_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", "10")
        choices.forget()
        yield azure


def test_it_watches_survives_a_kill_and_ends_with_the_dashboard(azure, tmp_path):
    workspace = opening.open_workspace(choices.settings())
    seen: list[psutil.Process] = []

    def watchers() -> list[psutil.Process]:
        found = [
            each
            for each in psutil.Process().children()
            if each.is_running() and "dashboard.watch" in _command(each)
        ]
        seen.extend(each for each in found if each not in seen)
        return found

    async def until(condition) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, (
                tmp_path / "home/logs/watcher-azure.log"
            ).read_text()
            await asyncio.sleep(0.2)

    async def live() -> None:
        keeper = asyncio.create_task(supervision._keep_watching())
        try:
            await until(lambda: workspace.alerts.evaluated_at() is not None)
            (first,) = watchers()
            assert not any(azure.environment["AZURE_CLIENT_SECRET"] in each
                           for each in first.cmdline())  # fmt: skip
            second = await asyncio.to_thread(_another)
            assert second == HELD_ELSEWHERE
            first.kill()
            await until(lambda: any(each.pid != first.pid for each in watchers()))
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    asyncio.run(live())

    assert workspace.alerts.unanswered() == ()
    assert len(seen) == 2
    assert not any(each.is_running() for each in seen)


def _another() -> int:
    """What becomes of a second one on the same workspace."""
    command = [sys.executable, "-m", "dashboard.watch"]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ, stdin=subprocess.DEVNULL, timeout=LIMIT_S
    ).returncode


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
