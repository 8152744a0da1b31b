"""What somebody on a slow phone waits for: first words, the largest part, and whether anything jumps.

`python -m bench.first_view --database FILE [--address PATH …]`: each address is opened from a cold start in Chromium at
400 kbit/s and 400 ms, with the processor slowed four times; the reference is the same without either.
"""

import argparse
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from app import schema
from app.database import Database
from tests.prepare import find_browser
from tests.servers import Server

PHONE = ViewportSize(width=375, height=740)
BYTES_PER_SECOND = 400_000 / 8
LATENCY_MS = 400
SLOWER = 4
ROUNDS = 3
OBSERVE = """
  window.seen = {largest: 0, shift: 0};
  new PerformanceObserver((list) => list.getEntries().forEach((it) => (seen.largest = it.startTime)))
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver((list) => list.getEntries().forEach((it) => (seen.shift += it.hadRecentInput ? 0 : it.value)))
    .observe({type: "layout-shift", buffered: true});
"""
ANSWER = """() => ({...seen, first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  bytes: performance.getEntries().reduce((sum, it) => sum + (it.transferSize ?? 0), 0)})"""


def open_phone(browser: Browser, server: Server, *, slow: bool) -> Page:
    context = browser.new_context(viewport=PHONE, base_url=server.url, has_touch=True, is_mobile=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    if slow:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        speed = {"downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND}
        session.send("Network.emulateNetworkConditions", {"offline": False, "latency": LATENCY_MS, **speed})
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


def look_at(browser: Browser, server: Server, address: str, *, slow: bool) -> dict[str, float]:
    """Milliseconds to the first and the largest paint, the sum of layout shifts, bytes over the line."""
    page = open_phone(browser, server, slow=slow)
    page.add_init_script(OBSERVE)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)
    found: dict[str, float] = page.evaluate(ANSWER)
    page.context.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.first_view", description="Screens on a slow line.")
    parser.add_argument("--database", type=Path, required=True, help="an SQLite file with approved texts")
    parser.add_argument("--address", nargs="*", default=["/"])
    asked = parser.parse_args()
    url = f"sqlite:///{asked.database}"
    database = Database(url)
    schema.upgrade(database)
    database.dispose()
    server = Server(url, asked.database.parent)
    server.start()
    flags = ["--no-sandbox", "--disable-gpu"]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=flags)
            print(f"{'':30} {'first ms':>9} {'largest ms':>11} {'ratio':>6} {'shift':>7} {'KB':>6}")
            for address in asked.address:
                fast = look_at(browser, server, address, slow=False)
                slow = [look_at(browser, server, address, slow=True) for _ in range(ROUNDS)]
                first, largest = (statistics.median(each[name] for each in slow) for name in ("first", "largest"))
                shift, size = max(each["shift"] for each in slow), slow[0]["bytes"] / 1000
                ratio = largest / max(1, fast["largest"])
                print(f"{address:30} {first:9.0f} {largest:11.0f} {ratio:6.1f} {shift:7.3f} {size:6.1f}")
            browser.close()
    finally:
        server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
