"""The HTTP proxy the SDK is sent through: it tunnels whatever host is asked for to ourselves.

Nothing leaves the machine: there is no code here that opens a connection to anywhere
but the double's own two ports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

CHUNK = 65_536


class Proxy:
    """``CONNECT host:443`` goes to the TLS port; ``GET http://host/…`` to the plain one."""

    def __init__(self, *, tls_port: int, plain_port: int) -> None:
        self._tls_port, self._plain_port = tls_port, plain_port

    async def listen(self, port: int = 0) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        if head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._join(reader, writer, self._tls_port, b"")
        else:
            await self._join(reader, writer, self._plain_port, _one_request(head))

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        first: bytes,
    ) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        inner_writer.write(first)
        await _quietly(
            asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer)),
        )


def _one_request(head: bytes) -> bytes:
    """An absolute-form request as the host itself would see it, closing the connection after."""
    request, _, rest = head.partition(b"\r\n")
    method, target, version = request.split(b" ")
    path = b"/" + target.split(b"://", 1)[-1].partition(b"/")[2]
    kept = [
        line
        for line in rest.split(b"\r\n")
        if not line.lower().startswith((b"connection:", b"proxy-"))
    ]
    return b"\r\n".join([b" ".join([method, path, version]), b"Connection: close", *kept])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _quietly(work: Awaitable[object]) -> None:
    try:
        await work
    except ConnectionError:  # either side hung up: so does the other
        return
