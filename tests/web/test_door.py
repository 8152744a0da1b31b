"""How often somebody may ask, whoever they say that they are."""

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from app.web.door import PEOPLE_BEHIND_ONE_ADDRESS


@pytest.mark.anyio
async def test_made_up_cookies_do_not_multiply_what_one_address_may_ask(settings: Settings) -> None:
    few = settings.model_copy(update={"reads_per_minute": 2})
    app = create_app(few, follow=False)
    transport = httpx.ASGITransport(app.state.front)
    async with httpx.AsyncClient(transport=transport, base_url="http://workshop.test") as client:
        answers = [
            await client.get("/api/v1/search?q=homes", headers={"Cookie": f"workshop=made-up-{number}"})
            for number in range(2 * PEOPLE_BEHIND_ONE_ADDRESS + 1)
        ]
    app.state.database.dispose()
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) in range(1, 61)
