"""Pages in a real Chromium, driven through its DevTools protocol: no driver, no further library.

with Chromium.start(tmp_path) as browser:
    seen = browser.open(file, width=400, dark=True)
    assert seen.requests == [] and seen.faults() == []
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = (
    "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--no-default-browser-check", "--metrics-recording-only", "--hide-scrollbars",
    "--password-store=basic", "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS = 60

# Leaf texts that are cut, lie over one another, or stand outside of the page. Boxes that scroll hold
# their own overflow; what lies inside a closed <details> or is meant for screen readers alone is not seen.
LAYOUT = """
(() => {
  const root = document.scrollingElement, faults = [];
  if (root.scrollWidth > innerWidth)
    faults.push(`page scrolls sideways: ${root.scrollWidth} > ${innerWidth}`);
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.data.trim() || element.closest('script, style, .unseen, [hidden]')) continue;
    if (!element.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const scrolls = element.closest('.scroll');
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      const text = node.data.trim().slice(0, 40);
      words.push({box, text, node, scrolls});
      if (!scrolls && (box.left < -0.5 || box.right > innerWidth + 0.5)) faults.push(`outside: ${text}`);
      for (let around = element; around && around !== document.body; around = around.parentElement) {
        const style = getComputedStyle(around);
        if (around === scrolls || style.overflowX === 'visible' || style.overflowX === 'auto') continue;
        const edge = around.getBoundingClientRect();
        if (box.right > edge.right + 1 || box.left < edge.left - 1 ||
            box.bottom > edge.bottom + 1.5 || box.top < edge.top - 1.5)
          faults.push(`cut: ${text}`);
      }
    }
  }
  words.sort((a, b) => a.box.top - b.box.top);
  for (let i = 0; i < words.length; i++)
    for (let j = i + 1; j < words.length && words[j].box.top < words[i].box.bottom - 2; j++) {
      const a = words[i].box, b = words[j].box;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (words[i].node !== words[j].node && wide > 1.5 && high > 4)
        faults.push(`overlap: ${words[i].text} | ${words[j].text}`);
    }
  return faults;
})()
"""

# Texts whose contrast with what lies behind them is below 4.5 : 1 (WCAG 2.2, 1.4.3).
CONTRAST = """
(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length && (color.length < 4 || color[3] > 0)) return color;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest('script, style')) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.getAttribute('class')} ${ratio.toFixed(2)}`);
  }
  return [...found];
})()
"""


@dataclass
class Seen:
    """What a page did while it loaded, and how it lies there."""

    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    layout: list[str] = field(default_factory=list)
    contrast: list[str] = field(default_factory=list)
    answer: Any = None

    def faults(self) -> list[str]:
        return [*self.requests, *self.console, *self.layout, *self.contrast]


def find_chromium() -> str:
    """Its path; skips the test where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("SEEDBED_REQUIRE_CHROMIUM") == "1":
            pytest.fail("no Chromium on PATH (Debian: apt-get install chromium)")
        pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
    return found


class Chromium:
    """A browser process with an empty profile; each page opens in a tab of its own."""

    def __init__(self, address: str) -> None:
        self._address = address

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Iterator[Chromium]:
        profile = folder / "profile"
        command = [find_chromium(), *SWITCHES, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium's own sandbox does not start as root
        process = subprocess.Popen(
            [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            said, until = "", time.monotonic() + START_SECONDS
            while "DevTools listening on " not in said:
                said = process.stderr.readline()
                assert said or process.poll() is None, "Chromium ended before it listened"
                assert time.monotonic() < until, "Chromium did not come up"
            drain = threading.Thread(target=process.stderr.read, daemon=True)
            drain.start()
            yield cls(said.partition("DevTools listening on ")[2].strip())
        finally:
            process.terminate()
            process.wait(timeout=20)
            drain.join(timeout=20)
            process.stderr.close()

    def open(
        self,
        page: Path,
        *,
        width: int,
        dark: bool = False,
        ask: str = "",
        before: str = "",
        picture: Path | None = None,
    ) -> Seen:
        """Load a file, run `before` in it, look at it, and answer the expression `ask`."""
        return asyncio.run(self._open(page.absolute().as_uri(), width, dark, ask, before, picture))

    async def _open(
        self, url: str, width: int, dark: bool, ask: str, before: str, picture: Path | None
    ) -> Seen:
        import aiohttp

        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self._address, max_msg_size=0) as socket,
        ):
            tab = _Tab(socket)
            made = await tab.call("Target.createTarget", url="about:blank")
            attached = await tab.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
            tab.session = attached["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            await tab.call(
                "Emulation.setDeviceMetricsOverride",
                width=width, height=900, deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            await tab.call("Emulation.setEmulatedMedia", features=[scheme])
            await tab.call("Page.navigate", url=url)
            await tab.until("Page.loadEventFired")
            await tab.evaluate("document.fonts.ready.then(() => window.charted).then(() => null)")
            if before:
                await tab.evaluate(before)
            seen = Seen(
                layout=await tab.evaluate(LAYOUT),
                contrast=await tab.evaluate(CONTRAST),
                answer=await tab.evaluate(ask) if ask else None,
            )
            if picture is not None:
                shot = await tab.call("Page.captureScreenshot", captureBeyondViewport=True)
                picture.write_bytes(base64.b64decode(shot["data"]))
            seen.requests = [event["request"]["url"] for event in tab.events("Network.requestWillBeSent")]
            seen.requests.remove(url)
            seen.console = [
                *(str(event["entry"]["text"]) for event in tab.events("Log.entryAdded")),
                *(str(event["args"]) for event in tab.events("Runtime.consoleAPICalled")),
                *(str(event["exceptionDetails"]) for event in tab.events("Runtime.exceptionThrown")),
            ]
            await tab.call("Target.closeTarget", targetId=made["targetId"])
            return seen


class _Tab:
    """Commands to one tab and the events it sent, over the browser's one socket."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self._heard: list[dict[str, Any]] = []
        self.session: str | None = None

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        await self._socket.send_json(message)
        while True:
            reply = await self._hear()
            if reply.get("id") == self._number:
                assert "error" not in reply, f"{method}: {reply['error']}"
                result: dict[str, Any] = reply["result"]
                return result

    async def evaluate(self, expression: str) -> Any:
        done = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def until(self, event: str) -> None:
        while not self.events(event):
            await self._hear()

    def events(self, name: str) -> list[dict[str, Any]]:
        return [message["params"] for message in self._heard if message.get("method") == name]

    async def _hear(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json(timeout=START_SECONDS)
        self._heard.append(message)
        return message
