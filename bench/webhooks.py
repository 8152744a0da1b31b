"""How long it takes from a promotion until a webhook's receiver has the message, beside good and bad receivers.

`python -m bench.webhooks [--promotions 40]` starts a server on a scratch database with waiting times of 0, and
receivers in this process. A member votes for a text, which promotes it at once. The time runs from sending the vote to
the arrival of the message, so the vote itself is in it; *after the answer* is the part that follows the answer to the
vote. The reference is the same message posted to the same receiver by a bare client, one new connection each, in the
same run. The second row has as many receivers that hang and whose answer never ends as the first has good ones.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from app import schema
from app.accounts import service as accounts
from app.accounts import tokens
from app.database import Database
from app.drafts import service as drafts
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions
from app.webhooks import service
from app.webhooks.keys import SecretKey
from tests.servers import NO_CERTIFICATES, Server
from tests.webhooks.receiver import ENDLESS_BODY, HANG, Receiver, receiving

TARGET_SECONDS = 2.0
GOOD = 5


@dataclass
class Row:
    """Seconds; `ratio` is the median after the answer to the vote against a bare post's median.

    `vote_p50` is the answer to the vote, `vote_alone_p50` the same before there was any webhook.
    """

    receivers: str
    promotions: int
    p50: float
    p95: float
    last: float
    vote_alone_p50: float
    vote_p50: float
    after_answer_p50: float
    bare_p50: float
    ratio: float
    target: float
    met: bool


def share(times: list[float], percent: int) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def bare_posts(receiver: Receiver, count: int) -> list[float]:
    """A message of the same size to the same receiver, by a client without anything around it."""
    body, taken = receiver.got[-1].body, []
    for _ in range(count):
        before, began = len(receiver.got), time.monotonic()
        with httpx.Client(verify=NO_CERTIFICATES, trust_env=False) as client:
            client.post(receiver.url, content=body, headers={"webhook-id": "bare"})
        taken.append(receiver.wait_for(before + 1)[-1].at - began)
    return taken


class Campaign:
    """A member whose vote alone promotes, and pages to promote."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction(writing=True) as session:
            user = accounts.add_user(session, "bench", None, role=Role.MODERATOR)
            self.actor: Actor = accounts.actor_of(user)
            self.token = tokens.create(session, self.actor, [Scope.VOTE])[1]

    def add_webhook(self, receiver: Receiver) -> None:
        with self.database.transaction(writing=True) as session:
            service.add_webhook(session, self.actor, url=receiver.url)

    def page(self, title: str) -> tuple[int, str]:
        """A page's first revision and its hash."""
        with self.database.transaction(writing=True) as session:
            page = drafts.create_page(session, self.actor, title=title, text=f"# {title}\n\nWords.\n")
            head = drafts.head_of(drafts.get_shared(session, page.id))
            return head, revisions.get(session, head).sha256


def measure(
    server: Server, campaign: Campaign, good: list[Receiver], name: str, promotions: int, vote_alone: float
) -> Row:
    arrival: list[float] = []
    votes: list[float] = []
    after: list[float] = []
    headers = {"Authorization": f"Bearer {campaign.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, verify=NO_CERTIFICATES) as client:
        for number in range(promotions):
            head, sha256 = campaign.page(f"{name} {number}")
            vote = {"value": "support", "sha256": sha256}
            began = time.monotonic()
            client.put(f"/api/v1/revisions/{head}/vote", json=vote).raise_for_status()
            answered = time.monotonic()
            votes.append(answered - began)
            for receiver in good:
                at = wait_for_promotion(receiver, head)
                arrival.append(at - began)
                after.append(max(0.0, at - answered))
    bare = bare_posts(good[0], promotions) if good else [1.0]
    if not good:
        arrival, after = votes, [0.0]
    p50, bare_p50, after_p50 = statistics.median(arrival), statistics.median(bare), statistics.median(after)
    return Row(
        receivers=name,
        promotions=promotions,
        p50=p50,
        p95=share(arrival, 95),
        last=max(arrival),
        vote_alone_p50=vote_alone,
        vote_p50=statistics.median(votes),
        after_answer_p50=after_p50,
        bare_p50=bare_p50,
        ratio=after_p50 / bare_p50,
        target=TARGET_SECONDS,
        met=share(arrival, 95) <= TARGET_SECONDS,
    )


def wait_for_promotion(receiver: Receiver, head: int) -> float:
    """When the message about this revision's approval arrived."""

    def find() -> float | None:
        for got in reversed(receiver.got[-40:]):
            message = got.message
            if message["type"] == "page.promoted" and message["data"]["subject"] == head:
                return got.at
        return None

    with receiver.arrived:
        if not receiver.arrived.wait_for(lambda: find() is not None, 60):
            raise RuntimeError("a message did not arrive within a minute")
        return find() or 0.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.webhooks", description="From a promotion to a webhook's receiver.")
    parser.add_argument("--promotions", type=int, default=40, help="how many (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as receivers:
        database = Database(f"sqlite:///{folder}/bench.db")
        database.info["secret_key"] = SecretKey(Path(folder) / "secret.key")
        schema.upgrade(database)
        campaign = Campaign(database)
        server = Server(str(database.url), Path(folder), webhook_networks="127.0.0.0/8", wait_routine=0)
        receivers.callback(server.kill)
        server.start()
        measure(server, campaign, [], "beginning", 3, 0.0)
        alone = measure(server, campaign, [], "none", asked.promotions, 0.0).vote_p50
        good = [receivers.enter_context(receiving()) for _ in range(GOOD)]
        for receiver in good:
            campaign.add_webhook(receiver)
        measure(server, campaign, good, "warming up", 3, alone)
        rows = [measure(server, campaign, good, f"{GOOD} good", asked.promotions, alone)]
        for answer in (HANG, ENDLESS_BODY):
            for _ in range(GOOD):
                campaign.add_webhook(receivers.enter_context(receiving(answer)))
        rows.append(
            measure(server, campaign, good, f"{GOOD} good, {GOOD} hang, {GOOD} endless", asked.promotions, alone)
        )
        database.dispose()
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
    else:
        print_table(rows)
    return 0 if all(row.met for row in rows) else 1


def print_table(rows: list[Row]) -> None:
    names = (
        "p50",
        "p95",
        "last",
        "vote alone p50",
        "vote p50",
        "after answer p50",
        "bare post p50",
        "ratio",
        "target p95",
        "met",
    )
    print(f"{'receivers':<32}", *(f"{name:>16}" for name in names))
    for row in rows:
        times = (row.p50, row.p95, row.last, row.vote_alone_p50, row.vote_p50, row.after_answer_p50, row.bare_p50)
        cells = [f"{seconds * 1000:.1f} ms" for seconds in times]
        cells += [f"{row.ratio:.1f}", f"{row.target:g} s", "yes" if row.met else "no"]
        print(f"{row.receivers:<32}", *(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
