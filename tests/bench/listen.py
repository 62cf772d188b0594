"""Very many clients of one stream: reads where it is and with which tokens, says when all listen and when all heard.

Each client is a bare socket, so that what is measured is the server.
"""

import asyncio
import json
import sys
import time
from typing import Any

_AT_ONCE = 50


async def _listen(asked: dict[str, Any]) -> None:
    opening, mark = asyncio.Semaphore(_AT_ONCE), asked["mark"].encode()
    heads = [_head(asked, token) for token in asked["tokens"]]
    clients = await asyncio.gather(*(_open(asked, opening, head) for head in heads))
    _say("listening")
    await asyncio.gather(*(reader.readuntil(mark) for reader, _ in clients))
    _say(repr(time.time()))
    await asyncio.to_thread(sys.stdin.readline)


async def _open(
    asked: dict[str, Any], opening: asyncio.Semaphore, head: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with opening:
        reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"])
        writer.write(head)
        await reader.readuntil(b"retry:")
        return reader, writer


def _head(asked: dict[str, Any], token: str) -> bytes:
    return f"GET {asked['path']} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_listen(json.loads(sys.stdin.readline())))
