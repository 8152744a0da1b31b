"""Search over a campaign in a real database, with a real index or without one."""

import pytest

from app.pages import service as pages
from app.permissions import Actor
from app.search import fallback, service
from app.search.query import ONLY_WITHOUT
from app.search.service import NO_INDEX, SOME_WORDS, Results, Where
from app.search.whoosh_engine import WhooshEngine
from tests.factories import Workshop
from tests.search.conftest import Approve, Index


class Desk:
    """Searches as the routes do."""

    def __init__(self, workshop: Workshop, engine: WhooshEngine) -> None:
        self._workshop = workshop
        self._engine = engine

    def search(self, typed: str, where: Where | None = None, tag: str = "", limit: int = 50) -> Results:
        with self._workshop.reading() as session:
            return service.search(session, self._engine, typed, where=where, tag=tag, limit=limit)

    def rows(self, typed: str, where: Where | None = None, tag: str = "") -> list[tuple[str, str]]:
        return [(row.source.slug, row.status) for row in self.search(typed, where, tag).rows]

    def titles(self, typed: str) -> list[tuple[str, bool]]:
        with self._workshop.reading() as session:
            return [(page.title, approved) for page, approved in service.suggest(session, self._engine, typed, limit=8)]


@pytest.fixture
def desk(workshop: Workshop, engine: WhooshEngine) -> Desk:
    return Desk(workshop, engine)


@pytest.fixture
def campaign(workshop: Workshop, writer: Actor, approve: Approve) -> None:
    """Housing was approved twice and has a draft; tax was never approved."""
    housing = workshop.page(writer)
    workshop.page(writer, "Taxes", "Everyone pays a fair share. Rents are taxed twice: rents, rents.")
    approve(workshop.shared_head(housing))
    fork = workshop.fork(writer, housing, ("Landlords", "Owners"))
    approve(fork.head_id or 0)
    workshop.fork(writer, housing, ("Anna", "Berta"))
    with workshop.writing() as session:
        pages.rename_page(session, writer, "housing", tags=["Social care", "homes"])


@pytest.mark.usefixtures("campaign")
def test_approved_texts_come_before_drafts_that_fit_better(desk: Desk, index: Index) -> None:
    index()
    assert desk.rows("rents") == [("housing", "approved"), ("taxes", "draft")]
    assert desk.rows("berta") == [("housing", "draft")]
    assert desk.search("anna rents").rows[0].other_drafts == 0
    assert desk.search("rents").rows[0].other_drafts == 1


@pytest.mark.usefixtures("campaign")
def test_a_search_can_be_kept_to_some_texts_and_a_tag(desk: Desk, index: Index) -> None:
    index()
    assert desk.rows("rents", Where.APPROVED) == [("housing", "approved")]
    assert desk.rows("rents", Where.DRAFTS) == [("taxes", "draft"), ("housing", "draft")]
    assert desk.rows("landlords") == []
    assert desk.rows("landlords", Where.HISTORY) == [("housing", "replaced")]
    assert desk.rows("rents", tag="social CARE") == [("housing", "approved")]
    assert desk.rows("", tag="homes") == [("housing", "approved")]
    assert desk.rows("rents", tag="nothing") == []


@pytest.mark.usefixtures("campaign")
def test_counts_say_where_else_to_look(desk: Desk, index: Index) -> None:
    index()
    found = desk.search("rents", Where.APPROVED).found
    assert {group.name: count for group, count in found.by_group.items()} == {"APPROVED": 1, "DRAFTS": 2, "REPLACED": 1}
    assert found.by_tag == {"homes": 1, "social care": 1}


@pytest.mark.usefixtures("campaign")
def test_an_index_that_lags_never_shows_an_old_text_as_approved(
    workshop: Workshop, writer: Actor, desk: Desk, index: Index, approve: Approve
) -> None:
    index()
    newest = workshop.fork(writer, workshop.get_page("housing"), ("Owners", "Proprietors"))
    approve(newest.head_id or 0)
    [row] = desk.search("owners").rows
    assert row.status == "approved"
    assert row.source.revision_id == newest.head_id
    assert "Owners" not in row.passage.text
    assert "Proprietors" in desk.search("fair hearing").rows[0].passage.text


@pytest.mark.usefixtures("campaign")
def test_what_nobody_wrote_gets_a_suggestion_and_what_nobody_wrote_in_one_text_gets_some(
    desk: Desk, index: Index
) -> None:
    index()
    assert desk.search("rentrs, housng!").suggestion == "rents, housing!"
    assert desk.search("fracking").suggestion is None
    assert desk.search("rents").suggestion is None
    some = desk.search("berta taxed")
    assert {row.source.slug for row in some.rows} == {"housing", "taxes"}
    assert some.notes == (SOME_WORDS,)
    assert desk.search("-rents").notes == (ONLY_WITHOUT,)


@pytest.mark.usefixtures("campaign")
def test_titles_are_suggested_while_somebody_types(desk: Desk, index: Index) -> None:
    index()
    assert desk.titles("ho") == [("Housing", True)]
    assert desk.titles("taxs") == [("Taxes", False)]
    assert desk.titles("") == []
    assert desk.titles("   ") == []


@pytest.mark.usefixtures("campaign")
def test_without_an_index_titles_and_texts_are_looked_through(desk: Desk, index: Index) -> None:
    with_note = desk.search("fair hearing rents")
    assert [(row.source.slug, row.status) for row in with_note.rows] == [("housing", "approved")]
    assert with_note.notes == (NO_INDEX,)
    assert [part.text for part in with_note.rows[0].passage.parts if part.marked] != []
    assert desk.rows("taxes") == [("taxes", "draft")]
    assert desk.rows("rents -owners", Where.APPROVED) == []
    assert desk.rows('"fair share"', Where.DRAFTS) == [("taxes", "draft")]
    assert desk.rows("owners", tag="homes") == [("housing", "approved")]
    assert desk.rows("owners", tag="other") == []
    assert desk.rows("landlords", Where.HISTORY) == []
    assert desk.rows("") == []
    assert desk.titles("hous") == [("Housing", True)]
    assert desk.titles("") == []
    index()
    assert desk.search("fair hearing rents").notes == ()


@pytest.mark.usefixtures("campaign")
def test_a_look_without_an_index_ends_in_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "MAX_SECONDS", -1.0)
    assert desk.search("rents").rows == []


def test_words_of_any_script_are_found_and_marked(workshop: Workshop, writer: Actor, desk: Desk, index: Index) -> None:
    workshop.page(writer, "住宅政策", "家賃の上限を決める。")
    workshop.page(writer, "Élections", "Les électeurs décident.")
    index()
    assert desk.search("上限").rows[0].passage.html == "家賃の<mark>上限</mark>を決める。"
    assert desk.search("electeurs").rows[0].passage.html == "Les <mark>électeurs</mark> décident."
    assert desk.titles("住") == [("住宅政策", False)]
