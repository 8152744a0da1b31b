"""The replay on a repository of one page: it runs whole through the services, and its figures add up."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlmodel import Session

from app.approvals import service as approvals
from app.consensus import candidates
from app.consensus.joined import is_joined
from app.consensus.models import Candidate
from app.drafts import service as drafts
from app.revisions import service as revisions
from bench.replay import Asked, Replay, main, thinned
from bench.replay_orderings import ORDERINGS, SUPPORT
from bench.replay_world import SHARES, World, join_look_alike, prepare, reword
from tests.transfer.git_builder import Story

TEXT = "# Fares\n\n" + "".join(f"## Part {n}\n\nSentence {n} is here. It stays where it is.\n\n" for n in range(8))
ASKED = Asked(voters=20, votes_per_day=4, arrivals=5, days=2, seed=1, support="clear")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page on the main branch, and eight proposals that each change one sentence of it."""
    story = Story()
    story.commit("one", {"fares.md": TEXT})
    for n in range(8):
        story.commit(f"p{n}", {"fares.md": TEXT.replace(f"Sentence {n} is", f"Sentence {n} was")}, after=["one"])
    refs = {f"refs/pull/{n}/head": f"p{n}" for n in range(8)}
    story.commit("twin", {"fares.md": TEXT.replace("Sentence 7 is", "Sentence 7 was")}, after=["one"], author="Bea")
    refs["refs/pull/8/head"] = "twin"
    return story.write(tmp_path_factory.mktemp("repo") / "repo.git", {"refs/heads/main": "one", **refs})


@pytest.fixture(scope="module")
def prepared(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    prepare(folder, repo, "refs/pull/*/head", voters=ASKED.voters, most=100, seed=1)
    return folder


def copy_of(prepared: Path, folder: Path) -> Path:
    for name in ("workshop.db", "ledger.key", "proposals.json"):
        (folder / name).write_bytes((prepared / name).read_bytes())
    return folder


def test_members_live_in_five_chapters_and_every_proposal_is_known(prepared: Path, tmp_path: Path) -> None:
    world = World.open(copy_of(prepared, tmp_path), ASKED.voters)
    homes = [member.chapter_id for member in world.members]
    assert [homes.count(chapter) for chapter in sorted(set(homes), key=lambda one: one or 0)] == [8, 5, 3, 3, 1]
    assert sum(SHARES) == 100
    assert len(world.proposals) == 8
    assert world.left_out == {"clash with the main branch": 0, "say what it says": 0, "twins": 1, "too large": 0}
    world.database.dispose()


@pytest.mark.parametrize(
    "ordering", [pytest.param(one, marks=[] if one == "queue" else pytest.mark.soak) for one in ORDERINGS]
)
def test_a_replay_decides_and_its_figures_add_up(prepared: Path, tmp_path: Path, ordering: str) -> None:
    row = Replay(ordering, copy_of(prepared, tmp_path), ASKED).run()
    assert row["arrived"] + row["unfitting"] == 10
    assert sum(row["closed"].values()) == row["arrived"] + row["joined_texts"]
    assert row["votes"] + row["unused_votes"] + row["refused"] == 20 * 4 * 2
    assert row["closed"].get("approved", 0) == row["approved"]
    assert row["wrong"] <= row["approved"]
    assert row["decided_24h"] == pytest.approx(row["approved_24h"] + row["declined_24h"] + row["joined_24h"], abs=0.002)
    assert len(row["undecided_by_day"]) == 2
    assert row["undecided_by_day"][-1] == row["undecided_end"] == row["closed"].get("open", 0)
    assert row["decided_24h"] > 0


@pytest.mark.soak
def test_what_passes_waits_as_long_as_is_asked(prepared: Path, tmp_path: Path) -> None:
    approved = []
    for wait in (0, 72):
        (tmp_path / str(wait)).mkdir()
        asked = replace(ASKED, wait=wait)
        approved.append(Replay("queue", copy_of(prepared, tmp_path / str(wait)), asked).run()["approved"])
    assert approved[0] > 2 * approved[1], "only more than half of all members make a text wait no longer"


def test_the_same_seed_gives_the_same_replay(prepared: Path, tmp_path: Path) -> None:
    rows = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        rows.append(Replay("queue", copy_of(prepared, tmp_path / name), replace(ASKED, days=1, votes_per_day=2)).run())
    assert [{**row, "cpu_s": 0} for row in rows] == [{**rows[0], "cpu_s": 0}] * 2


def test_an_author_joins_what_says_nearly_the_same(prepared: Path, tmp_path: Path) -> None:
    """In the other's words where they differ: nothing more is to be voted on unless something more is said."""
    world = World.open(copy_of(prepared, tmp_path), ASKED.voters)
    long = "Sentence 1 was here for as long as anybody who lives along this line can well remember"
    texts = [
        TEXT.replace("Sentence 1 is here", long),
        TEXT.replace("Sentence 1 is here", f"{long} it"),
        TEXT.replace("Sentence 1 is here. It stays where it is", f"{long} today. It stays where it was"),
        TEXT.replace("Sentence 7 is here", "Nothing like it is said anywhere"),
    ]
    with world.database.transaction(writing=True) as session:
        first, same = (_put_forward(session, world, number, texts[number]) for number in (0, 1))
        assert join_look_alike(session, same) == (first.id, None)
        assert (same.closed, is_joined(session, same), first.closed) == ("withdrawn", True, None)
        found = join_look_alike(session, _put_forward(session, world, 2, texts[2]))
        assert found is not None
        joined = session.get_one(Candidate, found.new_id)
        wanted = texts[0].replace(f"{long}. It stays where it is", f"{long}. It stays where it was")
        assert revisions.text_by_id(session, joined.revision_id) == wanted
        other = _put_forward(session, world, 3, texts[3])
        assert join_look_alike(session, other) is None
        assert other.closed is None
    world.database.dispose()


def _put_forward(session: Session, world: World, number: int, text: str) -> Candidate:
    current = approvals.find_current(session, world.proposals[0].page_id)
    assert current is not None
    draft = drafts.fork(session, world.members[number], current.revision_id, text=text)
    return candidates.put_forward(session, world.members[number], draft.id)


def test_a_rewording_changes_added_lines_alone() -> None:
    approved, text = "# A\n\nOne two three here.\n", "# A\n\nOne two three here.\n\nSeveral longer words stand below.\n"
    changed = {reword(approved, text, Random(seed)) for seed in range(20)}
    assert all(each.startswith(approved) for each in changed)
    assert len(changed) > 5


@pytest.mark.parametrize(("name", "share"), [("clear", 0.5), ("measured", 0.27)])
def test_true_support_is_drawn_as_stated(name: str, share: float) -> None:
    """The share of texts that most members are against."""
    order = Random(1)
    drawn = [SUPPORT[name][0](order) for _ in range(4_000)]
    assert sum(support < 0.5 for support in drawn) / 4_000 == pytest.approx(share, abs=0.03)


def test_long_replays_are_thinned_evenly() -> None:
    assert thinned(200_000, 20) == 5
    assert thinned(10_000, 20) == 1
    assert thinned(10_000_000, 3) == 3


def test_it_is_called_from_the_command_line(repo: Path) -> None:
    called = [sys.executable, "-m", "bench.replay", "--repo", str(repo), "--json", "--ordering", "queue"]
    numbers = ["--voters", "10", "--votes-per-day", "2", "--arrivals", "2", "--days", "1"]
    done = subprocess.run([*called, *numbers], capture_output=True, text=True, check=True)
    [row] = json.loads(done.stdout)["rows"]
    assert {"ordering", "decided_24h", "votes_per_decision", "undecided_end", "wrong"} <= row.keys()


def test_it_says_where_it_finds_no_proposal(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["replay", "--repo", str(repo), "--voters", "2", "--drafts", "refs/nothing/*"])
    assert main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "no proposal" in err
