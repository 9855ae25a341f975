"""Python environments of what we compare with, where its requirements contradict ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.bench.results import ROOT

REQUIREMENTS = Path(__file__).with_name("environments")
ENVIRONMENTS = ROOT / "bench-environments"
INSTALL_LIMIT_S = 900.0


class MissingError(Exception):
    """It cannot be installed here; the text says why."""


def python(name: str) -> Path:
    """The interpreter of an environment, made on first use and whenever its list has changed.

    Raises:
        MissingError: it cannot be installed here.
    """
    wanted = REQUIREMENTS / f"{name}.txt"
    folder = ENVIRONMENTS / name
    ready = folder / f".ready-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]}"
    interpreter = folder / "bin" / "python"
    if not ready.exists():
        print(f"  installing {name} into {folder.relative_to(ROOT)} …", flush=True)
        _run(name, [sys.executable, "-m", "venv", folder])
        _run(name, [interpreter, "-m", "pip", "install", "--quiet", "-r", wanted])
        ready.touch()
    return interpreter


def _run(name: str, command: list[str | Path]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"{name} was not installed within {INSTALL_LIMIT_S:.0f} s") from error
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise MissingError(f"{name} cannot be installed: {' '.join(reasons[-1:])[:200]}")
