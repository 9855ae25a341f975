"""A double held by a test: a process of its own, its environment, and its knobs."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests

from services.local.workspace import LocalWorkspace, open_workspace
from tests.azure_double.faults import Fault

READY = "# ready"


@dataclass(frozen=True, slots=True)
class Double:
    """Azure on loopback, at work."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def engine(self) -> LocalWorkspace:
        """The real workspace behind the double: what a test puts there, Azure has."""
        return open_workspace(self.folder / "workspace")

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[None]:
        """This process meets the double, and no other Azure, in here."""
        with patch.dict(os.environ, self.environment):
            yield

    def misbehave(self, *faults: Fault) -> None:
        """Replace all trouble by this; without arguments the trouble ends."""
        self._put("faults", [asdict(each) for each in faults])

    def turn(self, **knobs: Any) -> None:
        """``latency_s``, ``page_size``, or something for the memory of a family of routes."""
        self._put("knobs", knobs)

    def asked(self) -> Sequence[str]:
        """What was asked since the last time, oldest first: ``GET host/path?query -> 200``."""
        return self.told()[0]

    def unknown(self) -> Sequence[str]:
        """What nobody foresaw since the last time anything was asked of here."""
        return self.told()[1]

    def told(self) -> tuple[list[str], list[str]]:
        """Both at once, since asking for either forgets the other."""
        answer = requests.get(f"{self._control}/_double/asked", timeout=10).json()
        asked = [
            f"{each['method']} {each['host']}{each['path']} -> {each['status']}"
            for each in answer["asked"]
        ]
        return asked, answer["unknown"]

    def _put(self, what: str, value: Any) -> None:
        requests.put(f"{self._control}/_double/{what}", json=value, timeout=10).raise_for_status()

    @property
    def _control(self) -> str:
        return self.environment["AZURE_DOUBLE_CONTROL"]


@contextlib.contextmanager
def double(folder: Path, *, demo: bool = False) -> Iterator[Double]:
    """Start a double whose state lives in `folder`, with or without something on every page.

    It ends with the block.
    """
    with (folder / "double.log").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.azure_double",
                str(folder),
                *(["--demo"] if demo else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Double(folder, _read_environment(process, folder / "double.log"))
    finally:
        process.terminate()
        process.wait(timeout=60)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _read_environment(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    """What it printed before it was ready: ``export NAME=value`` lines."""
    assert process.stdout is not None
    environment: dict[str, str] = {}
    for line in process.stdout:
        if line.strip() == READY:
            return environment
        if line.startswith("export "):
            name, _, value = shlex.split(line.removeprefix("export "))[0].partition("=")
            environment[name] = value
    raise AssertionError(f"the double ended before it was ready: {log.read_text()}")
