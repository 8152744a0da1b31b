import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from app.webhooks import schedule, signing
from app.webhooks.keys import NoSecretKey, SecretKey

AT = datetime(2026, 11, 22, 14, 32, 5, tzinfo=UTC)


def test_the_schedule_is_the_one_of_the_specification() -> None:
    pauses = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    found = [schedule.next_attempt(tries, AT, 0.0) for tries in range(1, 10)]
    assert [(moment - AT).total_seconds() for moment in found if moment] == pauses[1:]
    assert schedule.next_attempt(10, AT, 0.0) is None
    assert sum(pauses) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()


def test_each_pause_is_longer_by_chance_and_never_shorter() -> None:
    assert schedule.next_attempt(2, AT, 1.0) == AT + timedelta(seconds=360)
    assert schedule.next_attempt(2, AT, 0.5) == AT + timedelta(seconds=330)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("999999999999", 86_400),
        ("Sun, 22 Nov 2026 14:33:05 GMT", 60),
        ("Sun, 22 Nov 2020 14:33:05 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
        ("Mon, 22 Nov 2026 14:32:05 +99999999999999", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_receiver_asks_for_is_read(given: str | None, seconds: int | None) -> None:
    found = schedule.parse_retry_after(given, AT)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_a_receiver_can_ask_for_a_longer_wait_but_not_for_a_shorter_or_endless_one() -> None:
    def wait(**span: float) -> timedelta:
        moment = schedule.next_attempt(2, AT, 0.0, timedelta(**span))
        assert moment is not None
        return moment - AT

    assert wait(seconds=1) == timedelta(minutes=5)
    assert wait(hours=2) == timedelta(hours=2)
    assert wait(days=9) == timedelta(days=1)
    assert schedule.pause_for(429, None) == timedelta(seconds=5)
    assert schedule.pause_for(503, timedelta(days=1)) == timedelta(hours=1)
    assert schedule.pause_for(500, timedelta(minutes=1)) is None


def test_a_webhook_is_hopeless_after_five_days_of_nothing_but_many_failures() -> None:
    five = timedelta(days=5)
    assert schedule.is_hopeless(AT, 10, AT + five)
    assert not schedule.is_hopeless(AT, 10, AT + five - timedelta(seconds=1))
    assert not schedule.is_hopeless(AT, 9, AT + five)


def test_secrets_are_256_bits_and_differ_by_key_and_salt() -> None:
    found = {signing.secret_of(key, salt) for key in (b"k" * 32, b"l" * 32) for salt in ("one", "two")}
    assert len(found) == 4
    for secret in found:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_each_of_two_secrets_verifies_a_message_signed_with_both() -> None:
    now = datetime.now(UTC)
    old, new = (signing.secret_of(b"k" * 32, salt) for salt in ("old", "new"))
    headers = signing.headers_for("msg_1", now, '{"a":"ü"}', [new, old])
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        assert Verifier(secret).verify('{"a":"ü"}'.encode(), headers) == {"a": "ü"}
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret.key"
    key = SecretKey(path).read()
    assert len(key) >= 32
    assert SecretKey(path).read() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]
    assert SecretKey(path, "g" * 40).read() == b"g" * 40


def test_a_key_that_cannot_be_used_is_an_error_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text("short")
    with pytest.raises(NoSecretKey):
        SecretKey(path).read()
    assert path.read_text() == "short"
