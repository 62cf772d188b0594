"""The peer of the courier: a loop of httpx for each receiver, with nothing kept, signed or checked.

Reads URLs with their bodies from its input, writes the seconds that it took.
"""

import asyncio
import json
import sys
import time

import httpx


async def _post(url: str, bodies: list[str]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for body in bodies:
            answer = await client.post(url, content=body, headers={"Content-Type": "application/json"})
            answer.raise_for_status()


async def _all(asked: dict[str, list[str]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(_post(url, bodies) for url, bodies in asked.items()))
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_all(json.load(sys.stdin)))))
