"""A TLS proxy between two nodes of a test that keeps what goes through it, in clear."""

import asyncio
import ssl
import threading

from launcher.processes import free_port


class Tap:
    """Listens on `port` with the certificate of `server` and hands on to `target`, a port, with that of `client`, so
    that both believe to talk to each other."""

    def __init__(self, certs, server, client, target):
        self.port, self.target = free_port(), target
        self.streams = []  # one for each direction of each connection
        self.shown = certs.context(server, ssl.PROTOCOL_TLS_SERVER)
        self.shown.verify_mode = ssl.CERT_REQUIRED
        self.presented = certs.context(client)
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.shown))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name=f"tap {self.port}")
        self.thread.start()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def bytes(self):
        """All that went through, with the masks of WebSocket frames taken off."""
        return b"\n".join(_clear(bytes(stream)) for stream in list(self.streams))

    async def _accept(self, reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target, ssl=self.presented)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, source, sink):
        stream = bytearray()
        self.streams.append(stream)
        try:
            while part := await source.read(65536):
                stream += part
                sink.write(part)
                await sink.drain()
        except (OSError, ssl.SSLError):
            pass
        sink.close()


def _clear(stream):
    head, _, rest = stream.partition(b"\r\n\r\n")
    if b"upgrade: websocket" not in head.lower():
        return stream
    out = [head]
    while len(rest) >= 2:
        size, at = rest[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(rest[2:at], "big")
        mask = b"\0\0\0\0"
        if rest[1] & 0x80:
            mask, at = rest[at : at + 4], at + 4
        payload = rest[at : at + size]
        key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
        out.append((int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big"))
        rest = rest[at + size :]
    return b"".join(out)
