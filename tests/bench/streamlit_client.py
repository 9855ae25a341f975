"""A browser's side of Streamlit's protocol, without the browser: what the server costs."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE_S = 120.0


class Session:
    """One tab: it runs pages and waits until each has sent everything."""

    def __init__(self, base: str) -> None:
        address = base.replace("http://", "ws://")
        self._socket = connect(
            f"{address}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            origin=base,  # type: ignore[arg-type]
        )
        self.received_bytes = 0

    def run(self, page: str = "", query: str = "") -> float:
        """Run a page by its address; seconds until the script has finished.

        Raises:
            AssertionError: the script failed.
        """
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        message.rerun_script.context_info.timezone = "Europe/Berlin"
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            data = self._socket.recv(timeout=PATIENCE_S)
            self.received_bytes += len(data)
            answer = ForwardMsg.FromString(data)  # type: ignore[arg-type]
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                raise AssertionError(f"{page}: {answer.delta.new_element.exception.message}")
            if kind == "script_finished":
                if answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return time.perf_counter() - started
                assert answer.script_finished != ForwardMsg.FINISHED_WITH_COMPILE_ERROR, page

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
