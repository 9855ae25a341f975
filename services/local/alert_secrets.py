"""Secrets of alert channels: one file each, which only its owner may read.

They are written once and read only by the program that sends. No port hands them out.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


class ChannelSecrets:
    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"

    def write(self, channel_id: str, secret: str) -> None:
        """Keep it, in place of what was there: the old one or the new one, never half of it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        draft = self._folder / f".{uuid.uuid4().hex}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path(channel_id))
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def read(self, channel_id: str) -> str:
        """Empty when there is none."""
        with contextlib.suppress(FileNotFoundError):
            return self._path(channel_id).read_text(encoding="utf-8")
        return ""

    def has(self, channel_id: str) -> bool:
        return self._path(channel_id).exists()

    def delete(self, channel_id: str) -> None:
        self._path(channel_id).unlink(missing_ok=True)

    def _path(self, channel_id: str) -> Path:
        return self._folder / f"alert-{uuid.UUID(channel_id)}"
