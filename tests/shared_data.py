"""Files beside the repository that tests read and never copy."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """The path of a shared file; the test is skipped where the folder is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path
