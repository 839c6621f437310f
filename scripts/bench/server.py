"""The loopback server, in a process of its own: `python -m bench.server` prints its port,
and serves until its standard input ends.

Paths are `/<reply>/…/chat/completions` or `/<reply>/…/messages`; see `replies`.
"""

from __future__ import annotations

import asyncio
import sys

from bench.replies import Reply, reply


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, gone.set)  # at its end: who asked has left
    async with server:
        await gone.wait()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers the requests of one connection until its sender leaves."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1].partition("?")[0]
            lines = head.lower().split("\r\n")
            sizes = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
            await reader.readexactly(int(sizes[0]) if sizes else 0)
            wire = "openai" if path.endswith("/chat/completions") else "anthropic"
            await answer(reply(path.split("/")[1], wire), writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(sent: Reply, writer: asyncio.StreamWriter) -> None:
    if sent.delay:
        await asyncio.sleep(sent.delay)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {sent.kind}\r\nrequest-id: r_1\r\n"
    if sent.kind == "application/json":
        body = sent.pieces[0]
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    else:
        writer.write(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        for piece in sent.pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if sent.pause:
                await asyncio.sleep(sent.pause)
        writer.write(b"0\r\n\r\n")
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(main())
