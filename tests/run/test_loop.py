"""The loop of a run."""

from __future__ import annotations

import asyncio
import sys

import pytest

from seedbed.run.loop import run_in_loop


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop")
def test_it_is_the_quick_one_and_closed_in_the_end() -> None:
    import uvloop

    async def main() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loop = run_in_loop(main())
    assert isinstance(loop, uvloop.Loop)
    assert loop.is_closed()


def test_errors_come_through() -> None:
    async def main() -> None:
        raise LookupError("of the work")

    with pytest.raises(LookupError, match="of the work"):
        run_in_loop(main())
