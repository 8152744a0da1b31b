"""The approved text, for consumers."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session
from starlette.exceptions import HTTPException

from app.pages.addresses import page_here
from app.pages.service import PageNotFound
from app.publishing import answers, service
from app.publishing.answers import Ask, Part, SectionNotFound, approved_answer, unless_known
from app.publishing.representations import MEDIA_TYPES, Representation, accepts_gzip, negotiate
from app.publishing.schemas import ApprovedOut, BatchIn, BatchOut, SectionOut, SectionRow, StoppedOut
from app.publishing.service import NoApprovedText, OnHold, Withdrawn
from app.web.cursors import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor, listing
from app.web.headers import NO_STORE, is_personal
from app.web.openapi import can_fail
from app.web.schemas import Json, Listing, MomentAsked, PathSlug
from app.web.session import ReadingDep, SessionDep

api = APIRouter(tags=["Approved text"])

AsOf = Annotated[
    MomentAsked | None,
    Query(description="What was approved at this time, instead of now.", examples=["2026-11-22T14:32:05Z"]),
]
Chapter = Annotated[
    str | None,
    Query(
        max_length=80,
        description="The chapter's own text, else the common one; `scope` says which it is.",
        examples=["north"],
    ),
]
Include = Annotated[
    Literal["last_safe"] | None,
    Query(
        description="Where the text is held: the newest one before it that is not in doubt as well.",
        examples=["last_safe"],
    ),
]
Tag = Annotated[str | None, Query(max_length=40, description="Only pages with this tag.", examples=["homes"])]
PathForm = Annotated[Representation, Path(description="The form of the text.", examples=["txt"])]
PathKey = Annotated[str, Path(description="A section's key, from the list of sections.", examples=["topline"])]

_HEADERS: Json = {
    name: {"description": description, "schema": {"type": "string"}}
    for name, description in {
        "ETag": "The SHA-256 of the text, then the form and encoding unless it is plain Markdown. In JSON it is "
        "another one with another approval too.",
        "Last-Modified": "When the text was approved.",
        "Cache-Control": "How long a copy may be kept: a few seconds.",
        "Link": "The page for people (`canonical`), its versions (`version-history`), its entry (`describedby`).",
        "Vary": "Accept where it chose the form, and Accept-Encoding.",
    }.items()
}
_NOT_MODIFIED: Json = {"description": "The copy that If-None-Match or If-Modified-Since names is still right."}
_MOVED: Json = {"description": "The page was renamed."}
_FAILURES = can_fail(PageNotFound, NoApprovedText, OnHold, Withdrawn)


def _responses(*forms: Representation, negotiated: bool = False) -> dict[int | str, Json]:
    content = {MEDIA_TYPES[form].partition(";")[0]: {"example": _EXAMPLES[form]} for form in forms if form in _EXAMPLES}
    more = can_fail(406) if negotiated else {}
    return {200: {"headers": _HEADERS, "content": content}, 304: _NOT_MODIFIED, 308: _MOVED, **_FAILURES, **more}


_EXAMPLES = {
    Representation.TEXT: "Everyone needs a home they can afford.",
    Representation.MARKDOWN: "## Topline\n\nEveryone **needs** a home they can afford.\n",
    Representation.HTML: '<!doctype html>…<h2 id="u-topline">Topline</h2>…',
}
_IN_A_SECTION = can_fail(PageNotFound, NoApprovedText, SectionNotFound, OnHold, Withdrawn)


@api.get("/approved", response_model_exclude_unset=True)
def list_approved(
    request: Request,
    response: Response,
    session: SessionDep,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    updated_since: Annotated[
        MomentAsked | None,
        Query(description="Only texts approved or stopped at or after this time.", examples=["2026-11-22T00:00:00Z"]),
    ] = None,
    tag: Tag = None,
    chapter: Chapter = None,
) -> Listing[ApprovedOut | StoppedOut]:
    """Every approved text, page by page. One that is stopped is there too, without its text."""
    place = decode_cursor(cursor, int)
    found = service.list_approved(
        session, after=place[0] if place else 0, updated_since=updated_since, tag=tag, limit=limit + 1
    )
    base_url = request.app.state.settings.base_url
    rows = [answers.present(it, base_url=base_url) for it in found[:limit]]
    more = encode_cursor(found[limit - 1].page.id) if len(found) > limit else None
    return listing(request, response, rows, more)


@api.post("/approved/batch", response_model_exclude_unset=True)
def compare_approved(request: Request, session: ReadingDep, response: Response, body: BatchIn) -> BatchOut:
    """Whatever differs from what you hold, in one answer: for up to 200 pages, as seldom or as often as you like."""
    found = service.compare(session, list(dict.fromkeys(body.slugs)), body.known)
    base_url = request.app.state.settings.base_url
    told = [answers.present(it, base_url=base_url) for it in found.differing]
    gone = [it for it in told if isinstance(it, StoppedOut) and it.status == "withdrawn"]
    response.headers["Cache-Control"] = NO_STORE
    return BatchOut(
        changed=[it for it in told if it.status != "withdrawn"],
        unchanged=found.unchanged,
        gone=gone,
        missing=found.missing,
        renamed=found.renamed,
    )


@api.get(
    "/pages/{slug}/approved",
    response_model=ApprovedOut | StoppedOut,
    responses=_responses(*Representation, negotiated=True),
)
def get_approved(
    request: Request,
    session: SessionDep,
    slug: PathSlug,
    as_of: AsOf = None,
    chapter: Chapter = None,
    include: Include = None,
) -> Response:
    """The approved text of a page, in the form that `Accept` asks for; JSON if it does not say."""
    return _serve(request, session, slug, as_of, include)


@api.get(
    "/pages/{slug}/approved.{form}", response_model=ApprovedOut | StoppedOut, responses=_responses(*Representation)
)
def get_approved_form(
    request: Request,
    session: SessionDep,
    slug: PathSlug,
    form: PathForm,
    as_of: AsOf = None,
    chapter: Chapter = None,
    include: Include = None,
) -> Response:
    """The approved text of a page in one form, whatever `Accept` says.

    `md` is the text's own bytes, `txt` has the marks removed, `html` is a document of its own.
    """
    return _serve(request, session, slug, as_of, include, form=form)


@api.get("/pages/{slug}/approved/sections", response_model=list[SectionRow], responses=_responses(Representation.JSON))
def list_sections(
    request: Request,
    session: SessionDep,
    slug: PathSlug,
    as_of: AsOf = None,
    chapter: Chapter = None,
    include: Include = None,
) -> Response:
    """The sections of the approved text: one for each of its level-2 headings, and `intro` for what stands before."""
    return _serve(request, session, slug, as_of, include, form=Representation.JSON, part="sections")


@api.get(
    "/pages/{slug}/approved/sections/{key}.{form}",
    response_model=SectionOut | StoppedOut,
    responses=_responses(*Representation) | _IN_A_SECTION,
)
def get_section_form(
    request: Request,
    session: SessionDep,
    slug: PathSlug,
    key: PathKey,
    form: PathForm,
    as_of: AsOf = None,
    chapter: Chapter = None,
    include: Include = None,
) -> Response:
    """One section in one form. `txt` is exactly the bytes to send."""
    return _serve(request, session, slug, as_of, include, form=form, part="section", key=key)


@api.get(
    "/pages/{slug}/approved/sections/{key}",
    response_model=SectionOut | StoppedOut,
    responses=_responses(*Representation, negotiated=True) | _IN_A_SECTION,
)
def get_section(
    request: Request,
    session: SessionDep,
    slug: PathSlug,
    key: PathKey,
    as_of: AsOf = None,
    chapter: Chapter = None,
    include: Include = None,
) -> Response:
    """One section, in the form that `Accept` asks for."""
    return _serve(request, session, slug, as_of, include, part="section", key=key)


def _serve(
    request: Request,
    session: Session,
    slug: str,
    as_of: datetime | None,
    include: str | None,
    *,
    form: Representation | None = None,
    part: Part = "text",
    key: str = "",
) -> Response:
    page = page_here(session, request, slug)
    chosen = form or negotiate(_header(request, "accept"))
    if chosen is None:
        raise HTTPException(406)
    welcomes_gzip = accepts_gzip(_header(request, "accept-encoding"))
    ask = Ask(chosen, part, key, as_of, negotiated=form is None, gzip=welcomes_gzip, last_safe=include == "last_safe")
    answer = approved_answer(session, page, ask, base_url=request.app.state.settings.base_url)
    answer = unless_known(answer, known=_header(request, "if-none-match"), since=_header(request, "if-modified-since"))
    response = Response(answer.body, answer.status)
    response.raw_headers = list(answer.headers)
    if is_personal(request.headers):
        response.headers["Cache-Control"] = NO_STORE
    return response


def _header(request: Request, name: str) -> str | None:
    """A header, joined where it was sent in several lines."""
    return ", ".join(request.headers.getlist(name)) or None
