"""The openai SDK in an asyncio loop: what somebody writes who wants no framework."""

from __future__ import annotations

import asyncio

from openai import AsyncOpenAI

from benchmarks.peers.job import CONCURRENCY, KEY, MODEL, URL, prompts, write


async def ask_all() -> list[str]:
    turn = asyncio.Semaphore(CONCURRENCY)
    async with AsyncOpenAI(base_url=URL, api_key=KEY) as client:

        async def ask(prompt: str) -> str:
            async with turn:
                done = await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": prompt}]
                )
            return done.choices[0].message.content or ""

        return list(await asyncio.gather(*(ask(prompt) for prompt in prompts())))


if __name__ == "__main__":
    write(asyncio.run(ask_all()))
