"""Pages: make, find, rename and tag them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from app.activity.models import Kind
from app.activity.service import record
from app.database import now
from app.errors import Conflict, NotFound, Refused
from app.pages.models import Page, PageRedirect, PageTag
from app.pages.slugs import check_slug, slug_of
from app.pages.text import clean_line
from app.permissions import Action, Actor, require
from app.words import N_, _

MAX_TITLE = 120
MAX_TAG = 40
MAX_TAGS = 12
_NUL = "\0"
"""No address has it, and PostgreSQL cannot even be asked for it."""

NEAR = 3
"""Letters more or fewer that a mistyped address may have."""


class PageNotFound(NotFound):
    slug = "page-not-found"
    title = N_("There is no such page")


class SlugTaken(Conflict):
    slug = "slug-taken"
    title = N_("That address is taken")


def add_page(
    session: Session,
    title: str,
    *,
    slug: str | None = None,
    tags: Iterable[str] = (),
    at: datetime | None = None,
    import_key: str | None = None,
) -> Page:
    """A new page without any text yet; raises `SlugTaken` when its address leads somewhere already."""
    title = clean_line(title, pointer="/title", max_length=MAX_TITLE, required=True)
    page = Page(
        slug=_free_slug(session, check_slug(slug) if slug else slug_of(title)),
        title=title,
        created_at=at or now(session),
        import_key=import_key,
    )
    session.add(page)
    session.flush()
    _set_tags(session, page, tags)
    return page


def find_page(session: Session, slug: str) -> Page | None:
    """The page at this address, a former one included, or one written as a file: `housing.html`, `housing.md`."""
    if _NUL in slug:
        return None
    slug = slug.removesuffix(".html").removesuffix(".md")
    page = session.exec(select(Page).where(Page.slug == slug)).first()
    if page is None:
        page = session.exec(select(Page).join(PageRedirect).where(PageRedirect.slug == slug)).first()
    return page


def find_pages(session: Session, slugs: Iterable[str]) -> dict[str, Page]:
    """The pages at these addresses, former ones included; what leads nowhere is left out."""
    asked = [slug for slug in slugs if _NUL not in slug]
    former = select(PageRedirect.slug, Page).join(Page).where(col(PageRedirect.slug).in_(asked))
    found = dict(session.exec(former).all())
    return found | {page.slug: page for page in session.exec(select(Page).where(col(Page.slug).in_(asked)))}


def get_page(session: Session, slug: str) -> Page:
    """The page at this address; its `slug` differs from the one asked for when it was renamed."""
    page = find_page(session, slug)
    if page is None:
        raise page_not_found(slug)
    return page


def page_not_found(slug: str) -> PageNotFound:
    """What to raise, or to show, for an address that no page has or had."""
    return PageNotFound(
        _("No page is called “{slug}”. Search for a word of it, or look at the list of pages.").format(slug=slug)
    )


def list_near(session: Session, slug: str, *, limit: int = 3) -> list[Page]:
    """The pages whose addresses are spelled most like this one, for somebody who mistyped it."""
    about = range(len(slug) - NEAR, len(slug) + NEAR + 1)
    slugs = session.exec(select(Page.slug).where(func.length(Page.slug).in_(about))).all()
    near = get_close_matches(slug.lower(), slugs, n=limit)
    found = {page.slug: page for page in session.exec(select(Page).where(col(Page.slug).in_(near)))}
    return [found[name] for name in near]


def get_by_id(session: Session, page_id: int) -> Page:
    page = session.get(Page, page_id)
    if page is None:
        raise PageNotFound(_("That page does not exist."))
    return page


def lock_page(session: Session, page_id: int) -> Page:
    """The page, with everybody else who decides about it kept waiting until this transaction ends."""
    return session.exec(select(Page).where(Page.id == page_id).with_for_update()).one()


def list_pages(
    session: Session,
    *,
    after: str = "",
    tag: str | None = None,
    words: str = "",
    also: ColumnElement[bool] | None = None,
    limit: int = 50,
) -> Sequence[Page]:
    """Pages by address, after the one named; only with this tag, or with these letters in the title.

    `also` is a further condition that a package above knows, such as whether a text is approved.
    """
    query = select(Page).where(col(Page.slug) > after).order_by(col(Page.slug)).limit(limit)
    if tag:
        query = query.join(PageTag).where(PageTag.tag == tag.casefold())
    if words:
        query = query.where(func.lower(Page.title).contains(words.lower(), autoescape=True))
    if also is not None:
        query = query.where(also)
    return session.exec(query).all()


def pages_by_id(session: Session, ids: Iterable[int | None]) -> dict[int, Page]:
    """The pages behind ids, for lists."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if len(wanted) < 2:  # a single one may be in memory by now
        return {page.id: page for id_ in wanted if (page := session.get(Page, id_))}
    return {page.id: page for page in session.exec(select(Page).where(col(Page.id).in_(wanted)))}


def tags_of(session: Session, page_ids: Iterable[int]) -> dict[int, list[str]]:
    """Each page's tags, sorted."""
    rows = session.exec(select(PageTag).where(col(PageTag.page_id).in_(list(page_ids))).order_by(col(PageTag.tag)))
    tags: dict[int, list[str]] = {}
    for row in rows:
        tags.setdefault(row.page_id, []).append(row.tag)
    return tags


def rename_page(
    session: Session,
    actor: Actor | None,
    slug: str,
    *,
    title: str | None = None,
    new_slug: str | None = None,
    tags: Iterable[str] | None = None,
) -> Page:
    """Change what is given of title, address and tags. The former address goes on leading here."""
    actor = require(actor, Action.RENAME_PAGE)
    page = lock_page(session, get_page(session, slug).id)
    was = page.slug
    if title is not None:
        page.title = clean_line(title, pointer="/title", max_length=MAX_TITLE, required=True)
    if new_slug is not None and check_slug(new_slug) != page.slug:
        move_page(session, page, new_slug)
    if tags is not None:
        _set_tags(session, page, tags)
    session.add(page)
    session.flush()
    record(session, Kind.PAGE_RENAMED, actor, page_id=page.id, data={"from": was, "to": page.slug, "title": page.title})
    return page


def move_page(session: Session, page: Page, slug: str) -> None:
    """Give the page another address and leave a redirect at the one it had."""
    former, page.slug = page.slug, _free_slug(session, check_slug(slug), page)
    session.exec(delete(PageRedirect).where(col(PageRedirect.slug) == page.slug))
    session.add(page)
    add_redirect(session, page, former)


def add_redirect(session: Session, page: Page, former_slug: str) -> None:
    """Let a former address lead to the page, unless a page lives there."""
    taken = session.exec(select(Page.id).where(Page.slug == former_slug, Page.id != page.id)).first()
    if taken is None and session.get(PageRedirect, former_slug) is None and former_slug != page.slug:
        session.add(PageRedirect(slug=former_slug, page_id=page.id))
        session.flush()


def _free_slug(session: Session, slug: str, page: Page | None = None) -> str:
    holder = find_page(session, slug)
    if holder is not None and (page is None or holder.id != page.id):
        raise SlugTaken(
            _("The address “{slug}” leads to “{title}” already. Choose another, or edit that page.").format(
                slug=slug, title=holder.title
            ),
            pointer="/slug",
        )
    return slug


def _set_tags(session: Session, page: Page, tags: Iterable[str]) -> None:
    chosen = {clean_line(tag, pointer="/tags", max_length=MAX_TAG, required=True).casefold() for tag in tags}
    if len(chosen) > MAX_TAGS:
        raise Refused(
            _("A page has at most {most} tags; these are {count}.").format(most=MAX_TAGS, count=len(chosen)),
            pointer="/tags",
        )
    session.exec(delete(PageTag).where(col(PageTag.page_id) == page.id))
    session.add_all(PageTag(page_id=page.id, tag=tag) for tag in sorted(chosen))
    session.flush()
