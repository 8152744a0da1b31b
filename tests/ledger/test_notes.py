"""Signed notes as C2SP describes them, and entries written in one way only."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.canonical import encode, moment
from app.ledger.notes import BadNote, SigningKey, Statement, VerifierKey

# The example of Go's note package, which the specification was written from.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = bytes(range(32))
SAID = Statement("words.example/ledger", 7, ROOT, "2026-11-22T09:00:00.000000Z")


def key(name: str = "words.example/ledger") -> SigningKey:
    return SigningKey(name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_a_note_of_another_program_is_read() -> None:
    verifier = VerifierKey.from_text(VKEY)
    assert verifier.open(NOTE) == NOTE.partition("\n\n")[0] + "\n"
    assert verifier.to_text() == VKEY


def test_a_changed_note_is_refused() -> None:
    with pytest.raises(BadNote, match="signature"):
        VerifierKey.from_text(VKEY).open(NOTE.replace("answer", "question"))
    with pytest.raises(BadNote, match="not signed with this key"):
        key().verifier.open(NOTE)


def test_a_checkpoint_is_origin_size_root_and_time_and_opens_with_its_key() -> None:
    note = key().sign(SAID.to_text())
    lines = note.split("\n")
    assert lines[:5] == [
        "words.example/ledger",
        "7",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "time 2026-11-22T09:00:00.000000Z",
        "",
    ]
    assert lines[5].startswith("— words.example/ledger ")
    assert Statement.from_text(key().verifier.open(note)) == SAID
    with pytest.raises(BadNote):
        key("other.example/ledger").verifier.open(note)


@pytest.mark.parametrize("text", ["", "a\nb\nc\nd\n", SAID.to_text() + "more\n", SAID.to_text().replace("7", "07")])
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Statement.from_text(text)


def test_keys_are_written_and_read_back() -> None:
    again = SigningKey.from_text(key().to_text())
    assert again.to_text() == key().to_text()
    assert again.verifier.to_text() == key().verifier.to_text()
    with pytest.raises(BadNote):
        SigningKey.from_text(key().to_text().replace("words", "other"))
    with pytest.raises(BadNote):
        VerifierKey.from_text(key().verifier.to_text().replace("words", "other"))


def test_an_entry_is_written_in_one_way() -> None:
    assert encode({"b": [1, None], "a": {"z": "é “x”", "y": ""}}) == '{"a":{"y":"","z":"é “x”"},"b":[1,null]}'
    assert json.loads(encode({"n": 2**40})) == {"n": 2**40}


@pytest.mark.parametrize("value", [1.5, True, float("nan"), (1,), b"x", {1: "x"}, [{"a": 0.0}]])
def test_nothing_goes_in_that_programs_write_differently(value: object) -> None:
    with pytest.raises(TypeError):
        encode({"value": value})


def test_times_are_utc_and_sort_as_text() -> None:
    local = datetime(2026, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert moment(local) == moment(datetime(2026, 11, 22, 9, 0, tzinfo=UTC)) == "2026-11-22T09:00:00.000000Z"
    assert moment(local) < moment(local + timedelta(microseconds=1))
