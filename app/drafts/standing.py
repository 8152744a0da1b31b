"""Where drafts stand against the approved text: how far ahead and behind, and whether the two go together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.approvals import service as approvals
from app.drafts import service as drafts
from app.drafts.models import Draft
from app.revisions import service as revisions
from app.revisions.ancestry import Ancestry
from app.revisions.cache import Kept
from app.revisions.merge import merge

MAX_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Revisions the draft has and the approved text lacks, and the other way round; `clean`: the two merge."""

    ahead: int
    behind: int
    clean: bool


Pair = tuple[int, int]
"""A draft's head and the revision it is measured against. Both never change, so neither does the answer."""


class Standings(Kept[Pair, Standing]):
    """What was found out about pairs of revisions of one database."""

    def __init__(self) -> None:
        super().__init__(MAX_KEPT)


def standings_of(session: Session, listed: Sequence[Draft]) -> dict[int, Standing]:
    """How each draft stands against its page's approved text; before the first, against the shared draft."""
    known: Standings = session.info.setdefault("standings", Standings())
    measures = _measures(session, {draft.page_id for draft in listed})
    pairs = {draft.id: (drafts.head_of(draft), measures[draft.page_id]) for draft in listed}
    found = {pair: standing for pair in pairs.values() if (standing := known.get(pair)) is not None}
    for pair, standing in _compare(session, set(pairs.values()) - found.keys()).items():
        # A transaction that wrote may yet be rolled back, and the head's id be given to another text.
        if "log_position" not in session.info:
            known.put(pair, standing)
        found[pair] = standing
    return {draft_id: found[pair] for draft_id, pair in pairs.items()}


def _measures(session: Session, page_ids: Iterable[int]) -> dict[int, int]:
    """What the drafts of each page are measured against."""
    shared = drafts.shared_by_page(session, page_ids)
    measures = {page_id: drafts.head_of(draft) for page_id, draft in shared.items()}
    current = approvals.current_by_page(session, measures)
    return measures | {page_id: approval.revision_id for page_id, approval in current.items()}


def _compare(session: Session, pairs: Collection[Pair]) -> dict[Pair, Standing]:
    ancestry = Ancestry(session)
    for id_ in sorted({id_ for pair in pairs for id_ in pair}, reverse=True):
        ancestry.step(id_)  # newest first, as each window that is read reaches downwards
    found: dict[Pair, Standing] = {}
    bases: dict[Pair, int | None] = {}
    for head, measure in pairs:
        ahead = ancestry.count_missing(of=head, in_=measure)
        behind = ancestry.count_missing(of=measure, in_=head)
        found[head, measure] = Standing(ahead, behind, clean=True)
        if behind and ahead:
            bases[head, measure] = ancestry.nearest_common(head, measure)
    wanted = {id_ for pair, base in bases.items() for id_ in (*pair, base) if id_ is not None}
    texts = revisions.texts_of(session, revisions.get_many(session, wanted).values())
    for (head, measure), base in bases.items():
        merged = merge(texts[base] if base is not None else "", texts[head], texts[measure])
        before = found[head, measure]
        found[head, measure] = Standing(before.ahead, before.behind, clean=merged.text is not None)
    return found
