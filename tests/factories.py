"""People, pages and votes for tests, made through the services as the program makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlmodel import Session

from app.accounts import chapters, seasoning, tokens
from app.accounts import service as accounts
from app.accounts.models import Chapter
from app.activity.follower import Follower
from app.approvals import service as approvals
from app.consensus import votes
from app.consensus.facts import Decision
from app.consensus.models import Value
from app.consensus.votes import Cast
from app.database import Database
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.pages import service as pages
from app.pages.models import Page
from app.permissions import Actor, Role, Scope
from app.revisions import service as revisions

HOUSING = """# Housing

## Topline

Everyone needs a home they can afford. Rents have risen faster than wages.

## Key points

- We will build 10,000 homes a year.
- Renters get a fair contract. Landlords get a fair hearing.

## Story

Anna moved three times in two years. Her children changed school each time.
"""


class Workshop:
    """A small campaign. Each call is one committed transaction."""

    def __init__(self, database: Database, follower: Follower) -> None:
        self.database = database
        self.follower = follower
        self.members = 0
        self.chapter_ids: dict[str, int] = {}

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.transaction(writing=True) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.transaction(writing=False) as session:
            yield session

    def chapter(self, slug: str) -> Chapter:
        with self.writing() as session:
            return chapters.find_chapter(session, slug) or chapters.add_chapter(session, slug, slug.title())

    def member(self, name: str | None = None, *, chapter: str | None = None, role: Role = Role.MEMBER) -> Actor:
        """A member, in a chapter that is made when it is first named."""
        if chapter and chapter not in self.chapter_ids:
            self.chapter_ids[chapter] = self.chapter(chapter).id
        chapter_id = self.chapter_ids[chapter] if chapter else None
        if name is None:
            self.members += 1
        with self.writing() as session:
            user = accounts.add_user(session, name or f"member-{self.members}", None, role=role, chapter_id=chapter_id)
            return accounts.actor_of(user)

    def token(self, actor: Actor, *scopes: Scope) -> str:
        """An API token of the actor; with every scope when none is named."""
        with self.writing() as session:
            return tokens.create(session, replace(actor, scopes=None), scopes or tuple(Scope))[1]

    def page(self, writer: Actor, title: str = "Housing", text: str = HOUSING, *, slug: str | None = None) -> Page:
        with self.writing() as session:
            return drafts.create_page(session, writer, title=title, text=text, slug=slug)

    def shared_head(self, page: Page) -> int:
        with self.reading() as session:
            return drafts.head_of(drafts.get_shared(session, page.id))

    def fork(self, actor: Actor, page: Page, *changes: tuple[str, str]) -> Draft:
        """A fork of the approved text, else of the shared head, with words replaced."""
        with self.writing() as session:
            origin = drafts.default_fork_origin(session, page)
            text: str = revisions.text_by_id(session, origin)
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            return drafts.fork(session, actor, origin, text=text)

    def vote(self, actor: Actor, revision_id: int, value: Value = Value.SUPPORT) -> Cast:
        """A vote on the text as it stands."""
        with self.writing() as session:
            sha256 = revisions.get(session, revision_id).sha256
            return votes.cast_vote(session, actor, revision_id, sha256=sha256, value=value)

    def vouch(self, actor: Actor, name: str) -> None:
        """The actor's word for a newcomer."""
        with self.writing() as session:
            seasoning.vouch(session, actor, accounts.get_user(session, name))

    def approved_text(self, page: Page) -> str | None:
        with self.reading() as session:
            current = approvals.find_current(session, page.id)
            return revisions.text_by_id(session, current.revision_id) if current else None

    def decision(self, revision_id: int) -> Decision:
        with self.reading() as session:
            return votes.decision_of(session, revisions.get(session, revision_id))

    def get_page(self, slug: str) -> Page:
        with self.reading() as session:
            return pages.get_page(session, slug)

    def follow(self) -> None:
        """Let the follower do all that is due by the test's clock."""
        self.follower.run_once()
