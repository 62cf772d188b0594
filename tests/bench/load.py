"""A bounded load on one address: reads what is asked for from its input, writes the seconds of each answer."""

import asyncio
import json
import sys
import time
from typing import Any

import httpx


async def _press(asked: dict[str, Any]) -> list[float]:
    """So many clients at once, each with one request under way, until the time is over."""
    took: list[float] = []
    end = time.perf_counter() + asked["seconds"]
    numbers = iter(range(10**9))
    headers = {"Authorization": f"Bearer {asked['token']}"}
    limits = httpx.Limits(max_connections=asked["at_once"])
    async with httpx.AsyncClient(headers=headers, limits=limits, trust_env=False, timeout=30) as client:

        async def one_after_another() -> None:
            while time.perf_counter() < end:
                began = time.perf_counter()
                answer = await client.request(asked["method"], asked["url"], json=_body(asked, next(numbers)))
                answer.raise_for_status()
                took.append(time.perf_counter() - began)

        await asyncio.gather(*(one_after_another() for _ in range(asked["at_once"])))
    return took


def _body(asked: dict[str, Any], number: int) -> dict[str, str] | None:
    if asked["method"] == "GET":
        return None
    return {"domain": f"{asked['mark']}-{number}.example", "user_id": asked["owner"]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_press(json.load(sys.stdin)))))
