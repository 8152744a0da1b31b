"""How long ago, or how soon, as a reader sees it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADD = """(at) => {
  const time = document.createElement("time");
  time.id = "at";
  time.dateTime = at;
  document.querySelector("main").append(time);
}"""


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-26T02:23:59Z", "in 2 days"),
        ("2026-11-25T02:25:30Z", "tomorrow"),
        ("2026-11-24T04:30:00Z", "in 2 hr."),
        ("2026-11-23T01:00:00Z", "yesterday"),
        ("2026-11-22T23:00:00Z", "2 days ago"),
        ("2026-11-24T02:23:30Z", "this minute"),
    ],
)
def test_days_are_those_of_the_calendar(visit: Callable[..., Page], moment: str, said: str) -> None:
    page = visit()
    page.clock.install(time="2026-11-24T02:22:00Z")
    open_at(page, "/", "time")
    page.evaluate(ADD, moment)
    page.clock.run_for(120_000)
    expect(page.locator("#at")).to_contain_text(f", {said}")
