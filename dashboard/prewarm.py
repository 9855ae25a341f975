"""What the first visitor would otherwise wait for, done while the server starts."""

from __future__ import annotations

import gc
import importlib
import logging
import threading

from dashboard import session
from dashboard.compression import CompressedFiles
from services.errors import ServiceError

log = logging.getLogger(__name__)

HEAVY = ("pandas", "pyarrow", "plotly.graph_objects", "plotly.io", "streamlit.elements.arrow")


def begin(files: CompressedFiles) -> None:
    """Start warming up on a thread of its own; a request that comes first is not delayed."""
    threading.Thread(target=warm, args=(files,), name="prewarm", daemon=True).start()


def warm(files: CompressedFiles) -> None:
    """Import, open, compress, then take everything so far out of the collector's sight.

    What was imported lives as long as the process; walking it again on every full
    collection costs more than a page.
    """
    for name in HEAVY:
        importlib.import_module(name)
    try:
        session.prepare()
    except ServiceError as error:
        log.warning("the workspace could not be opened: %s", error)
    log.debug("compressed %s files", files.compress())
    gc.collect()
    gc.freeze()
