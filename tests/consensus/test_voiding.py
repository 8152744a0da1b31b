"""Two moderators void a member's votes: what it touches, what it never touches, and what is on record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from app.accounts import seasoning
from app.accounts import service as accounts
from app.accounts.models import User
from app.consensus import decisions, ledger, trial, voiding
from app.consensus.candidates import find_by_revision
from app.consensus.facts import State
from app.consensus.models import Value, Voiding
from app.consensus.voiding import VoidingState, Wish
from app.errors import Conflict, DomainError, NotAllowed, NotFound, Refused
from app.ledger.models import LedgerEntry
from app.permissions import Actor, Role
from app.transfer.verification import verify_database
from tests.beginnings import made_once
from tests.conftest import POSTGRES_IN_SOAK, MovableClock
from tests.factories import Workshop
from tests.postgres import wait_for_a_waiter

pytestmark = POSTGRES_IN_SOAK

WHY = "Five accounts of one person."


@pytest.fixture
@made_once
def members(workshop: Workshop) -> dict[str, Actor]:
    """Two chapters of twenty; the first two of each are moderators."""
    return {
        f"{home}-{n}": workshop.member(f"{home}-{n}", chapter=home, role=Role.MODERATOR if n < 2 else Role.WRITER)
        for home in ("north", "south")
        for n in range(20)
    }


def ask(workshop: Workshop, actor: Actor, name: str, *, voids: bool = True, reason: str = WHY) -> Wish:
    with workshop.writing() as session:
        return voiding.ask(session, actor, name, voids=voids, reason=reason)


def settle(workshop: Workshop, members: dict[str, Actor], name: str, *, voids: bool = True) -> Wish:
    """By both sides."""
    ask(workshop, members["north-0"], name, voids=voids)
    return ask(workshop, members["south-0"], name, voids=voids, reason="")


def cast(workshop: Workshop, members: dict[str, Actor], head: int, value: Value, *names: str) -> None:
    for name in names:
        workshop.vote(members[name], head, value)


def new_text(workshop: Workshop, members: dict[str, Actor], title: str) -> int:
    return workshop.shared_head(workshop.page(members["north-4"], title))


def voted_on_by_a_void_member_alone(workshop: Workshop, members: dict[str, Actor], clock: MovableClock) -> int:
    settle(workshop, members, "south-4")
    head = new_text(workshop, members, "Housing")
    cast(workshop, members, head, Value.SUPPORT, "south-4")
    clock.move(days=1)
    return head


def seen(workshop: Workshop, head: int) -> tuple[str, int, int]:
    """State, members asked, and how many stand for it and against it, as they count."""
    decision = workshop.decision(head)
    lines = decision.count.chapters
    votes = [line.votes for line in lines]
    return decision.state, decision.count.active, sum(it.support for it in votes) * 100 + sum(it.oppose for it in votes)


def test_it_takes_two_moderators_of_different_chapters(workshop: Workshop, members: dict[str, Actor]) -> None:
    first = ask(workshop, members["north-0"], "north-4")
    assert (first.state, first.confirmed) == (VoidingState.ASKED, None)
    for who, kind in (("north-0", Conflict), ("north-1", Conflict), ("north-4", NotAllowed), ("south-4", NotAllowed)):
        with pytest.raises(kind), workshop.writing() as session:
            voiding.ask(session, members[who], "north-4", voids=True, reason=WHY)
    with workshop.reading() as session:
        assert seasoning.counts(session, members["north-4"]), "nothing happened yet"
    done = ask(workshop, members["south-1"], "north-4", reason="")
    assert done.state is VoidingState.DONE
    assert done.confirmed is not None
    assert done.confirmed.reason == WHY
    with workshop.reading() as session:
        assert not seasoning.counts(session, members["north-4"])
        assert "Two moderators took them out" in seasoning.why_not_yet(session, members["north-4"])
        entry = session.exec(select(LedgerEntry).order_by(col(LedgerEntry.sequence).desc())).first()
        assert entry is not None
        assert entry.kind == "voided"
        assert '"by":["north","south"],"carried_from":[],"chapter":"north"' in entry.body
        assert WHY in entry.body
        assert "north-4" not in entry.body
        assert verify_database(workshop.database).faults == []


CROWD = [f"{home}-{n}" for n in range(5, 16) for home in ("north", "south")]
"""More than half of all."""


@pytest.mark.parametrize("voter", ["opponent", "supporter"])
def test_what_is_open_is_decided_as_if_nothing_had_happened(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock, voter: str
) -> None:
    """The centre cannot turn a vote by voiding those who stand in the way of it, or those who carry it."""
    head = new_text(workshop, members, "Housing")
    cast(workshop, members, head, Value.SUPPORT, *("north-1", "north-2", "north-3", "south-1", "south-2", "south-3"))
    cast(workshop, members, head, Value.OPPOSE, "north-5", "south-5")
    before = seen(workshop, head)
    assert before == (State.COLLECTING, 40, 602)
    for name in ("north-5", "south-5") if voter == "opponent" else ("north-2", "south-2"):
        settle(workshop, members, name)
        assert seen(workshop, head) == before
    clock.move(minutes=1)
    assert seen(workshop, head) == before
    name = "north-5" if voter == "opponent" else "north-2"
    workshop.vote(members[name], head, Value.PASS)
    assert seen(workshop, head)[2] in (601, 502), "and they can still change their minds there"


@pytest.mark.parametrize("minutes", [0, 1, -1])
def test_later_votes_neither_count_nor_ask_a_void_member(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock, minutes: int
) -> None:
    """Whatever the clocks say: another server's may be behind."""
    clock.move(hours=1)
    settle(workshop, members, "south-4")
    clock.move(minutes=minutes)
    head = new_text(workshop, members, "Housing")
    cast(workshop, members, head, Value.OPPOSE, "south-4")
    assert seen(workshop, head) == (State.DRAFT, 39, 0), "it does not even open the vote"
    cast(workshop, members, head, Value.SUPPORT, "north-1", "south-1")
    assert seen(workshop, head) == (State.COLLECTING, 39, 200)
    cast(workshop, members, head, Value.SUPPORT, *CROWD)
    assert workshop.decision(head).state == State.APPROVED
    clock.move(minutes=2)
    assert verify_database(workshop.database).faults == []


def test_what_opened_while_they_were_void_stays_without_them(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    settle(workshop, members, "south-4")
    between = new_text(workshop, members, "Housing")
    cast(workshop, members, between, Value.SUPPORT, "north-1", "south-4")
    clock.move(minutes=1)
    assert settle(workshop, members, "south-4", voids=False).state is VoidingState.DONE
    assert seen(workshop, between) == (State.COLLECTING, 39, 100)
    later = new_text(workshop, members, "Schools")
    cast(workshop, members, later, Value.SUPPORT, "south-4")
    assert seen(workshop, later) == (State.COLLECTING, 40, 100)
    settle(workshop, members, "south-4")
    assert seen(workshop, later) == (State.COLLECTING, 40, 100)
    assert seen(workshop, between) == (State.COLLECTING, 39, 100)


def test_a_vote_that_was_void_alone_opens_what_it_was_cast_on_when_it_is_given_back(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    head = voted_on_by_a_void_member_alone(workshop, members, clock)
    settle(workshop, members, "south-4", voids=False)
    workshop.follow()
    assert seen(workshop, head) == (State.COLLECTING, 40, 100)
    with workshop.reading() as session:
        candidate = find_by_revision(session, head)
        assert candidate is not None
        assert candidate.opened_at == clock()


def test_a_recount_of_past_votes_leaves_them_out_too(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    for name in ("south-4", "north-4"):
        settle(workshop, members, name)
    head = new_text(workshop, members, "Housing")
    cast(workshop, members, head, Value.OPPOSE, "south-4", "north-4", "north-5")
    north, south = (f"north-{n}" for n in (1, 2, 6, 7)), (f"south-{n}" for n in (1, 2, 3))
    cast(workshop, members, head, Value.SUPPORT, *north, *south)
    clock.move(hours=13)
    workshop.follow()
    assert workshop.decision(head).state == State.APPROVED
    with workshop.reading() as session:
        found = trial.try_value(session, "wait_routine", 0)
    assert found is not None
    assert (found.tried, found.left_out) == (1, 0), "with those two it would not have passed"


def test_who_is_refused(workshop: Workshop, members: dict[str, Actor]) -> None:
    def refusal(kind: type[DomainError], who: str, name: str, *, voids: bool = True, reason: str = WHY) -> str:
        with pytest.raises(kind) as caught:
            ask(workshop, members[who], name, voids=voids, reason=reason)
        return caught.value.detail

    assert "about you" in refusal(Refused, "north-0", "north-0")
    assert "count as they are" in refusal(Conflict, "north-0", "north-4", voids=False)
    refusal(NotFound, "north-0", "nobody")
    refusal(Refused, "north-0", "north-4", reason=" ")
    with workshop.writing() as session:
        accounts.author_named(session, "Author of old")
    assert "has no vote" in refusal(NotFound, "north-0", "Author of old")
    settle(workshop, members, "north-4")
    assert "void already" in refusal(Conflict, "north-1", "north-4")
    settle(workshop, members, "south-1")
    assert "2 members" in refusal(Refused, "north-0", "south-4")
    with pytest.raises(NotAllowed, match="not for you to decide"):
        ask(workshop, members["south-1"], "south-4", voids=False)


def test_giving_back_makes_no_room_and_the_limit_ends_after_two_weeks(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    workshop.database.info["rule"] = replace(workshop.database.info["rule"], active_days=60)
    for name in ("north-2", "north-3"):
        settle(workshop, members, name)
        settle(workshop, members, name, voids=False)
    with pytest.raises(Refused, match="2 members"):
        ask(workshop, members["north-0"], "south-4")
    clock.move(days=14, minutes=1)
    assert settle(workshop, members, "south-4").state is VoidingState.DONE


def test_in_a_small_workshop_nobody_is_voided(workshop: Workshop) -> None:
    """Two of five moderators could otherwise approve whatever they like."""
    ada, *_others = (workshop.member(f"m{n}", chapter=("north", "south")[n % 2], role=Role.MODERATOR) for n in range(9))
    with pytest.raises(Refused, match="fewer than 10 active members"):
        ask(workshop, ada, "m3")
    workshop.member("tenth", chapter="north")
    assert ask(workshop, ada, "m3").state is VoidingState.ASKED


def test_it_never_makes_moderators_of_one_chapter_enough(workshop: Workshop, clock: MovableClock) -> None:
    """Those whose votes are void are still of a chapter when it is asked whether there is another one."""
    workshop.database.info["rule"] = replace(workshop.database.info["rule"], active_days=60)
    north = [workshop.member(f"north-{n}", chapter="north", role=Role.MODERATOR) for n in range(9)]
    south = [workshop.member(f"south-{n}", chapter="south", role=Role.MODERATOR) for n in range(3)]
    for name in ("south-1", "south-2"):
        settle(workshop, {"north-0": north[0], "south-0": south[0]}, name)
        clock.move(days=15)
    with workshop.reading() as session:
        assert decisions.electorate_of(session, None).members[south[0].chapter_id] == 1, "too few to count by itself"
        assert decisions.sides_of(session) == {north[0].chapter_id, south[0].chapter_id}
    ask(workshop, north[0], "south-0")
    with pytest.raises(Conflict, match="your own chapter"):
        ask(workshop, north[1], "south-0")


def test_a_wish_lapses_and_so_does_that_of_a_former_moderator(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    ask(workshop, members["north-0"], "north-4")
    clock.move(days=7)
    assert ask(workshop, members["south-0"], "north-4").state is VoidingState.ASKED, "asked anew, not confirmed"
    with workshop.writing() as session:
        accounts.set_role(session, accounts.get_user(session, "south-0"), Role.MEMBER)
    assert ask(workshop, members["north-0"], "north-4").state is VoidingState.ASKED
    with workshop.reading() as session:
        states = [wish.state for wish in voiding.list_wishes(session, members["north-0"])]
    assert states == [VoidingState.ASKED, VoidingState.LAPSED, VoidingState.LAPSED]


def test_rows_are_never_changed(workshop: Workshop, members: dict[str, Actor]) -> None:
    settle(workshop, members, "north-4")
    for statement in ("UPDATE voiding SET reason = 'x'", "DELETE FROM voiding"):
        with pytest.raises(Exception, match="never changed"), workshop.writing() as session:
            session.connection().execute(text(statement))


def test_two_who_confirm_at_once_are_one(workshop: Workshop, members: dict[str, Actor]) -> None:
    ask(workshop, members["north-0"], "north-4")

    def confirm(name: str) -> str:
        try:
            return ask(workshop, members[name], "north-4", reason="").state
        except Conflict as refused:
            return refused.detail

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(confirm, ["south-0", "south-1"]))
    assert said == ["The votes of north-4 are void already. Nothing was changed.", "done"]
    with workshop.reading() as session:
        assert len(session.exec(select(Voiding).where(col(Voiding.asked_id).is_not(None))).all()) == 1


@pytest.mark.parametrize("tampering", ["member", "untold", "alone", "late"])
def test_the_check_finds_what_was_never_confirmed(
    workshop: Workshop, members: dict[str, Actor], tampering: str
) -> None:
    settle(workshop, members, "north-4")
    assert verify_database(workshop.database).faults == []
    with workshop.writing() as session:
        if tampering == "member":
            session.get_one(User, members["south-4"].id).is_void = True
        else:
            first = session.exec(select(Voiding).where(col(Voiding.asked_id).is_(None))).one()
            again = Voiding(**first.model_dump(exclude={"id", "at"}), at=first.at)
            session.add(again)
            session.flush()
            by = first.actor_id if tampering == "alone" else members["south-0"].id
            more = {"id", "at", "asked_id", "actor_id"}
            at = first.at + timedelta(days=7 if tampering == "late" else 0)
            session.add(Voiding(**again.model_dump(exclude=more), at=at, asked_id=again.id, actor_id=by))
    found = {
        "member": "are void is not what was confirmed",
        "untold": "is not in the ledger as it was confirmed",
        "late": "was confirmed too late",
        "alone": "was not asked for by one and confirmed by another",
    }
    assert found[tampering] in "; ".join(verify_database(workshop.database).faults)


def test_who_votes_while_they_are_voided_waits_for_nobody_who_waits_for_them(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    """A voter holds their own row while they wait for the turn in the ledger; the other way round nobody may wait."""
    ask(workshop, members["north-0"], "south-4")
    clock.move(hours=1)
    with ThreadPoolExecutor(1) as pool:
        with workshop.writing() as session:
            accounts.touch(session, members["south-4"])
            session.flush()
            done = pool.submit(ask, workshop, members["south-0"], "south-4", reason="")
            if not workshop.database.is_sqlite:  # which has one writer at a time
                wait_for_a_waiter(workshop.database, done)
            ledger.wait(session)
        assert done.result().state is VoidingState.DONE


def test_who_decides_on_a_text_waits_for_nobody_who_gives_back_the_votes_on_it(
    workshop: Workshop, members: dict[str, Actor], clock: MovableClock
) -> None:
    """Whoever decides holds the candidate while they wait for the turn in the ledger."""
    head = voted_on_by_a_void_member_alone(workshop, members, clock)
    ask(workshop, members["north-0"], "south-4", voids=False)
    with ThreadPoolExecutor(1) as pool:
        with workshop.writing() as session:
            candidate = find_by_revision(session, head)
            assert candidate is not None
            candidate.changed_at = clock()
            session.flush()
            done = pool.submit(ask, workshop, members["south-0"], "south-4", voids=False, reason="")
            if not workshop.database.is_sqlite:  # which has one writer at a time
                done.result(timeout=30)
            ledger.wait(session)
        assert done.result().state is VoidingState.DONE
    workshop.follow()
    assert seen(workshop, head) == (State.COLLECTING, 40, 100)


def test_nobody_but_moderators_sees_whose_votes_are_void(workshop: Workshop, members: dict[str, Actor]) -> None:
    with workshop.reading() as session:
        for who in (None, members["north-4"]):
            for look in (voiding.list_wishes, voiding.list_void):
                with pytest.raises(NotAllowed):
                    look(session, who)
