"""A file system of a few megabytes, to be filled to the last byte."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILL = "fills-the-disk"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """`folder`, on a file system of its own; the test is skipped where none may be mounted."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes everything that is left. Remove it to have space again."""
    path = folder / FILL
    for size in (1 << 20, 4096, 1):
        try:
            with path.open("ab", buffering=0) as file:
                while True:
                    file.write(b"x" * size)
        except OSError:
            continue
    return path
