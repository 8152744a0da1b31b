"""The invented campaign: what people wrote, changed and voted on over the last two weeks."""

from collections.abc import Callable
from dataclasses import dataclass

from app.database import Database
from app.demo.people import CHAPTERS
from app.demo.stage import Stage, StageClock
from app.transfer.git_history import Progress

HARBOUR, SKELLIBY, PELLINGWICK, BRANCH, VETERANS = CHAPTERS


@dataclass(frozen=True, slots=True)
class Place:
    """A draft that the guide leads to, by its page's address and its own name, which nothing changes."""

    slug: str
    draft: str


LACKS_ONE = Place("buses", "Late on Saturdays too")
WAITS = Place("shore-plan", "Say until when")
STALE = Place("flood-wall", "The market stays open")
CARRIED = Place("homes", "The first question is about debt")
NEVER_APPROVED = Place("cost", "Per person, not per household")
RIVALS = (
    Place("night-ferry", "As seen from the pier"),
    Place("night-ferry", "Shorter"),
    Place("night-ferry", "Not only for workers"),
)
CONFLICT_AT = "school-meals"
LAST = Place("veterans-homes", "For the letter page")
"""The last thing that happens: where it is found, the story was told to its end."""


def act_out(database: Database, clock: StageClock, progress: Progress = lambda done, total, what: None) -> None:
    """Fill an empty workshop, which runs on this clock, with the whole story."""
    stage = Stage(database, clock)
    for number, act in enumerate(ACTS, start=1):
        act(stage)
        progress(number, len(ACTS), "filling the example")


def members_gather(stage: Stage) -> None:
    stage.at(13, "09:00")
    stage.gather()


def first_pages_are_written(stage: Stage) -> None:
    stage.at(12, "08:10")
    stage.page("Mara Velt", "shore-plan", "start", "speech")
    stage.page("Mara Velt", "night-ferry", "getting home")
    stage.at(12, "09:00")
    stage.page("Mara Velt", "homes", "staying")
    stage.page("Len Garrow", "buses", "getting home")
    stage.at(12, "09:40")
    stage.edit(
        "Ruth Pennyfold",
        "shore-plan",
        "It costs a household less than a loaf of bread a month.",
        "A month of it costs a household as much as a loaf of bread.",
        "As much, not less: 3.10 is what the loaf costs",
    )
    stage.edit(
        "陳志湖",
        "night-ferry",
        "The night boat is the electric one.",
        "The night boat is the electric one, and it lands at the outer pier.",
        "I steer it, so I know where it lands",
    )
    stage.edit(
        "Wren Castellow",
        "homes",
        "People who live or work here now get the first choice.",
        "Whoever lives or works here now chooses first.",
        "Shorter",
    )


def first_pages_are_approved(stage: Stage) -> None:
    stage.at(12, "10:00")
    stage.vote(
        stage.shared("shore-plan"),
        {HARBOUR: 3, SKELLIBY: 3, PELLINGWICK: 2, BRANCH: 2, VETERANS: 2},
        also=["Mara Velt", "Noor Tamsin"],
        because=["Everything is in it and it fits on a phone."],
    )
    stage.vote(
        stage.shared("night-ferry"),
        {HARBOUR: 3, SKELLIBY: 2, BRANCH: 3, PELLINGWICK: 1},
        {SKELLIBY: 1},
        also=["Len Garrow"],
        but=["Skelliby has no pier. What is in it for us?"],
    )
    stage.at(12, "14:00")
    stage.vote(
        stage.shared("homes"), {HARBOUR: 2, SKELLIBY: 3, PELLINGWICK: 3, VETERANS: 1}, {HARBOUR: 1, PELLINGWICK: 1}
    )
    stage.vote(stage.shared("buses"), {SKELLIBY: 3, PELLINGWICK: 3, BRANCH: 3, HARBOUR: 1}, also=["Wanda Olt"])


def the_wall_and_the_schools(stage: Stage) -> None:
    stage.at(11, "08:30")
    stage.page("Edda Lindqvarn", "flood-wall", "keeping dry")
    stage.page("Mara Velt", "school-meals", "schools")
    stage.at(11, "09:15")
    stage.edit(
        "Desmond Ockleigh",
        "flood-wall",
        "It is as high as a kitchen table.",
        "It is as high as a kitchen table, and the lake has never stood higher.",
        "People ask how high the water came",
    )
    stage.vote(
        stage.shared("flood-wall"),
        {HARBOUR: 4, PELLINGWICK: 2, VETERANS: 2, BRANCH: 1},
        {SKELLIBY: 2},
        because=["We had the water up to the stairs."],
        but=["Promise us the pump first."],
    )
    stage.vote(stage.shared("school-meals"), {SKELLIBY: 3, PELLINGWICK: 3, HARBOUR: 2, VETERANS: 1}, {BRANCH: 1})


def the_clinic_and_the_dock(stage: Stage) -> None:
    stage.at(10, "08:20")
    stage.page("Ines Holm", "clinic", "staying")
    stage.page("Len Garrow", "harbour-jobs", "work", "speech")
    stage.vote(stage.shared("clinic"), {VETERANS: 3, SKELLIBY: 2, PELLINGWICK: 2, HARBOUR: 2}, also=["Ines Holm"])
    stage.vote(
        stage.shared("harbour-jobs"),
        {BRANCH: 4, HARBOUR: 3, SKELLIBY: 1},
        {PELLINGWICK: 1},
        because=["Thirty places to learn a trade. Finally."],
        but=["I would like to see that order book."],
    )


def veterans_and_translations(stage: Stage) -> None:
    stage.at(9, "08:15")
    stage.page("Edda Lindqvarn", "veterans-homes", "staying", "letter")
    stage.page("ليلى حدّاد", "night-ferry-ar", "getting home", "العربية")
    stage.page("佐原 美波", "school-meals-ja", "schools", "日本語")
    stage.at(9, "09:30")
    stage.edit(
        "Noor Tamsin",
        "veterans-homes",
        "One desk for papers, pensions and a cup of coffee.",
        "One desk for papers and pensions, with a kettle.",
        "It is a kettle that people remember",
    )
    stage.vote(
        stage.shared("veterans-homes"), {VETERANS: 4, BRANCH: 2, HARBOUR: 2, PELLINGWICK: 1}, also=["Noor Tamsin"]
    )
    stage.vote(stage.shared("night-ferry-ar"), {HARBOUR: 3, PELLINGWICK: 2, SKELLIBY: 1, BRANCH: 1})
    stage.vote(stage.shared("school-meals-ja"), {HARBOUR: 3, BRANCH: 2, VETERANS: 1, SKELLIBY: 1})


def better_wordings_win(stage: Stage) -> None:
    stage.at(8, "08:40")
    quicker = stage.fork(
        "Kofi Asante-Brightwell",
        "harbour-jobs",
        "What the order book says",
        "The order book for two years is signed.",
        "Two ferry towns on the lake have signed for two years of repairs.",
        "An answer to the question about the order book",
    )
    stage.vote(
        quicker,
        {BRANCH: 3, PELLINGWICK: 3, SKELLIBY: 2, HARBOUR: 1},
        because=["Now I believe it."],
    )
    stage.at(7, "09:00")
    stage.edit(
        "Bea Thornquell",
        "buses",
        "Fourteen new drivers, trained here, at the night rate agreed with the branch.",
        "Fourteen new drivers, trained in our own yard, at the night rate that the branch agreed.",
        "Who trains them",
    )
    stage.vote(stage.shared("buses"), {BRANCH: 3, PELLINGWICK: 2, VETERANS: 2}, {HARBOUR: 1})


def two_people_edit_at_once(stage: Stage) -> None:
    """Where they wrote different sentences both are in; where it was the same one, the later text is kept aside."""
    stage.at(6, "18:00")
    opened_at = stage.shared("school-meals")
    stage.edit(
        "Thandi Mokwelo",
        "school-meals",
        "Half of what is cooked grows around the lake.",
        "At least half of what is cooked grows around the lake.",
        "In a good year it is more",
    )
    stage.at(6, "18:06")
    stage.edit(
        "Camila Duarte-Roe",
        "school-meals",
        "There is a meatless dish every day.",
        "There is a meatless dish every day, and it is not always noodles.",
        "My daughter asked for this",
        opened_at=opened_at,
    )
    stage.at(5, "17:30")
    opened_at = stage.shared("clinic")
    said = "It opens in the evening and on Sundays."
    stage.edit("Aylin Toprakli", "clinic", said, "It opens every evening, Sundays too.", "Warmer")
    stage.at(5, "17:34")
    stage.edit("Hamish Oldcroy", "clinic", said, "It opens until ten, every day.", "Until when?", opened_at=opened_at)


def one_change_is_carried_over_another(stage: Stage) -> None:
    stage.at(4, "09:20")
    carried = stage.fork(
        "Petra Kovalenn",
        CARRIED.slug,
        CARRIED.draft,
        "The land is ours, so the loan is small.",
        "The land is ours, so the loan is small: it is for bricks, not for ground.",
        "People hear debt and stop listening",
    )
    stage.vote(carried, {PELLINGWICK: 2, SKELLIBY: 1}, because=["It answers what they really ask."])
    winner = stage.fork(
        "Odalys Brennick",
        "homes",
        "Name the people",
        "Who works in Tarrowmere should be able to live in Tarrowmere.",
        "Who bakes, nurses and steers in Tarrowmere should be able to live here.",
        "A face before a number",
    )
    stage.at(4, "12:00")
    stage.vote(
        winner,
        {HARBOUR: 3, VETERANS: 2, BRANCH: 2, SKELLIBY: 1},
        {PELLINGWICK: 1},
        also=["Mara Velt", "Noor Tamsin"],
    )


def one_change_goes_stale(stage: Stage) -> None:
    said = "It is built in three winters, so that the market loses no summer."
    path = "There is a path on top, wide enough for two prams."
    stage.at(3, "09:10")
    stale = stage.fork(
        "Wanda Olt",
        STALE.slug,
        STALE.draft,
        said,
        "It is built in three winters, and the market stays open all the while.",
        "The stalls ask me every Saturday",
    )
    stage.vote(stale, {SKELLIBY: 2, HARBOUR: 1})
    winner = stage.fork(
        "Samuel Obiakwe",
        "flood-wall",
        "Start at the lock",
        f"{path}\n- {said}",
        "There is a path on top, wide enough for two wheelchairs.\n"
        "- It is built in three winters, beginning at the lock, so that the market loses no summer.",
        "Where they begin, and for whom",
    )
    stage.at(3, "12:00")
    stage.vote(winner, {PELLINGWICK: 3, HARBOUR: 2, BRANCH: 2, VETERANS: 1}, also=["Len Garrow", "Ines Holm"])


def wordings_compete(stage: Stage) -> None:
    said = "If you work late, you should get home by boat and not by luck."
    stage.at(2, "08:30")
    pier, shorter, wider = RIVALS
    one = stage.fork(
        "Odalys Brennick", pier.slug, pier.draft, said, "If you work late, the boat should still be there."
    )
    two = stage.fork("Maeve Quillanty", shorter.slug, shorter.draft, said, "Work late, sail home.")
    three = stage.fork(
        "Idris Marchbanke", wider.slug, wider.draft, said, "Whoever is out late should get home by boat, not by luck."
    )
    stage.vote(one, {HARBOUR: 2, PELLINGWICK: 1})
    stage.vote(two, {BRANCH: 3, SKELLIBY: 1}, {HARBOUR: 1}, because=["It fits on the side of a boat."])
    stage.vote(three, {PELLINGWICK: 2, VETERANS: 2}, {BRANCH: 1}, but=["Longer than what we have."])


def nobody_agrees_on_the_cost(stage: Stage) -> None:
    stage.at(1, "08:20")
    whole = stage.page("Edda Lindqvarn", NEVER_APPROVED.slug, "money")
    stage.vote(whole, {HARBOUR: 3, SKELLIBY: 1}, {PELLINGWICK: 1}, but=["Nobody knows what a household is."])
    other = stage.fork(
        "Petra Kovalenn",
        NEVER_APPROVED.slug,
        NEVER_APPROVED.draft,
        "An average household pays 3.10 crowns a month.",
        "That is 1.40 crowns a month for each of us.",
        "Everybody can count themselves",
    )
    stage.vote(other, {PELLINGWICK: 2, VETERANS: 2}, {HARBOUR: 1})


def one_change_lacks_one_supporter(stage: Stage) -> None:
    stage.at(1, "13:00")
    lacks_one = stage.fork(
        "Ruslan Demchur",
        LACKS_ONE.slug,
        LACKS_ONE.draft,
        "Every half hour until half past eleven, on all five lines.",
        "Every half hour until half past eleven, on Saturdays until half past one, on all five lines.",
        "Saturday is when people go out",
    )
    stage.vote(lacks_one, {HARBOUR: 5, BRANCH: 2}, because=["My night out ends at the pier. Not any more."])
    stage.at(1, "16:00")
    meals = stage.fork(
        "佐原 美波",
        "school-meals-ja",
        "無料の家庭についても書く",
        "保護者の負担は、一食につき一クラウンまでです。",
        "保護者の負担は一食一クラウンまでで、援助を受けている家庭は無料です。",
        "英語のページと同じ内容に",
    )
    stage.vote(meals, {HARBOUR: 1, BRANCH: 1})


def one_change_waits_right_now(stage: Stage) -> None:
    """It has 17 supporters of 35 members: one more and it need not wait."""
    stage.at(1, "17:00")
    beside = stage.fork(
        "Joss Tamberlin",
        WAITS.slug,
        "A pier is not a home",
        "A night ferry without a night bus ends at the pier.",
        "A night ferry without a night bus leaves you at the pier, in the rain.",
    )
    stage.vote(beside, {PELLINGWICK: 1, VETERANS: 1})
    stage.at(1, "18:00")
    waits = stage.fork(
        "Camila Duarte-Roe",
        WAITS.slug,
        WAITS.draft,
        "Getting home: the ferry and the buses run in the evening, six nights a week.",
        "Getting home: the ferry and the buses run until midnight, six nights a week.",
        "Evening can mean six o'clock",
    )
    stage.vote(waits, {HARBOUR: 4, SKELLIBY: 2}, {SKELLIBY: 1}, but=["The last bus is at half past eleven."])
    stage.minutes_ago(25)
    stage.edit(
        "Amadou Tirelle",
        CONFLICT_AT,
        "No child learns well on an empty stomach.",
        "No child learns well while hungry.",
        "Shorter",
    )
    stage.minutes_ago(3)
    stage.vote(waits, {PELLINGWICK: 4, BRANCH: 2, VETERANS: 2, SKELLIBY: 3}, seconds_apart=12)
    stage.fork("Harriet Stanmoore", LAST.slug, LAST.draft, "The list has 61 names.", "Sixty-one names are on the list.")


ACTS: tuple[Callable[[Stage], None], ...] = (
    members_gather,
    first_pages_are_written,
    first_pages_are_approved,
    the_wall_and_the_schools,
    the_clinic_and_the_dock,
    veterans_and_translations,
    better_wordings_win,
    two_people_edit_at_once,
    one_change_is_carried_over_another,
    one_change_goes_stale,
    wordings_compete,
    nobody_agrees_on_the_cost,
    one_change_lacks_one_supporter,
    one_change_waits_right_now,
)
