import pytest

from app.channels.counting import Kind, channels_in, count, count_characters, count_words, kind_of, straighten
from app.channels.schemas import channel_json
from app.channels.wording import line, warnings


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("SMS", Kind.SMS),
        ("sms: reminder", Kind.SMS),
        ("Text message (first contact)", Kind.SMS),
        ("Social post", Kind.SOCIAL),
        ("Phone script – undecided", Kind.SCRIPT),
        ("Door script", Kind.SCRIPT),
        ("E-mail", Kind.EMAIL),
        ("Email", Kind.EMAIL),
        ("30-second speech", Kind.SPEECH),
        ("90-second speech", Kind.SPEECH),
        ("Speech", Kind.SPEECH),
        ("Topline", None),
        ("SMS costs", None),
        ("Freedom of speech", None),
        ("", None),
    ],
)
def test_a_heading_that_says_so_makes_a_section_a_channel(title: str, kind: Kind | None) -> None:
    assert kind_of(title) is kind


def test_repeated_channels_and_their_marks_count_as_they_are_sent() -> None:
    found = channels_in(
        "# T\n\n## SMS\n\nGo **now**.\n\n## Story\n\nOnce.\n\n## SMS\n\nGo [here](https://a.example).\n"
    )
    assert [(section.key, channel.characters) for section, channel in found] == [("sms", 7), ("sms-2", 28)]


def test_words_and_characters_are_those_people_say_and_see() -> None:
    assert count_words("Rents rose by 12,000 – in a well-known town, didn’t they?") == 10
    assert count_words("Hello {first_name}!") == 2
    assert count_words("家賃が上がる。") == 3
    assert count_characters("👩‍👩‍👧é") == 2
    assert count_characters("{time}") == 10


def said(title: str, words: str) -> tuple[str, list[str]]:
    kind = kind_of(title)
    assert kind is not None
    channel = count(kind, title, words)
    assert channel_json(channel) is not None
    return line(channel), [warning.detail for warning in warnings(channel)]


def test_a_text_says_what_makes_it_longer_and_how_to_mend_it() -> None:
    assert said("SMS", "a" * 142) == ("1 text, 142 of 160 characters", [])
    assert said("SMS", "a" * 172) == ("2 texts, 172 of 306 characters", ["Cut 12 characters to make it 1."])
    assert said("SMS", "a" * 100 + "’")[1] == ["1 curly quote makes this 2 texts instead of 1."]
    assert said("SMS", "’“" + "a" * 100 + " – \u00a0")[1] == [
        "2 curly quotes, 1 long dash and 1 special space make this 2 texts instead of 1."
    ]
    assert said("SMS", "It’s on.")[1] == ["1 curly quote leaves room for 70 instead of 160."]
    assert said("SMS", "Go … on")[1] == ["1 special character leaves room for 70 instead of 160."]
    assert said("SMS", "Come 😀 now’")[1] == ["😀 leaves room for 70 characters only, 67 in each of several texts."]
    assert said("SMS", "Жить дома")[1] == [
        "The letters of this text leave room for 70 characters only, 67 in each of several texts."
    ]
    assert said("SMS", "{first_name} " + "a" * 60) == (
        "1 text, 81 of 160 characters",
        ["A name such as Zoë or Łukasz in a field makes it 2 texts."],
    )
    assert said("SMS", "{shoe_size}")[1] == [
        "“{shoe_size}” is no field known here. It is counted as 30 characters of any script."
    ]


def test_a_curly_quote_among_too_many_letters_leaves_the_rest_to_be_cut() -> None:
    assert said("SMS", "’" + "a" * 130)[1] == ["1 curly quote makes this 2 texts instead of 1."]
    assert said("SMS", "’" + "ж" * 70)[1][-1] == "Cut 1 character to make it 1."


def test_speech_and_e_mail_say_when_they_are_long() -> None:
    assert said("30-second speech", "word " * 75) == ("75 words, about 30 seconds to say", [])
    assert said("30-second speech", "word " * 85)[1] == [
        "This takes about 34 seconds to say. Cut 10 words to make it 30."
    ]
    assert said("Speech", "word " * 400)[1] == []
    assert said("E-mail", "Subject: Rents\n\n" + "word " * 10) == ("subject of 5 characters, 10 words", [])
    assert said("E-mail", "Hello")[1] == ["It has no subject yet. Let its first line begin with “Subject:”."]
    assert said("E-mail", "Subject: " + "x" * 51)[1] == ["The subject is 51 characters long; telephones show 50."]
    assert said("E-mail", "Subject: x\n" + "word " * 201)[1] == ["It is 201 words long; few read more than 200."]
    assert said("Social post", "Homes 👩‍👩‍👧.") == ("8 characters, 1 word", [])


@pytest.mark.parametrize(
    ("written", "straight"),
    [
        ("It’s close — vote", "It's close - vote"),
        ("Vote on 4 May — it’s close\n—\nReply STOP to end", "Vote on 4 May - it's close\n—\nReply STOP to end"),
        ("Hi `{first_name}`, it’s on", "Hi `{first_name}`, it's on"),
        ("[it’s on](https://x.example/a–b)", "[it's on](https://x.example/a–b)"),
        ("It’s at https://x.example/a–b …", "It's at https://x.example/a–b ..."),
    ],
)
def test_what_is_straightened_still_says_the_same_in_the_same_place(written: str, straight: str) -> None:
    other = "## Topline\n\nIt’s “other” words\n"
    assert straighten(f"## SMS\n\n{written}\n\n{other}") == f"## SMS\n\n{straight}\n\n{other}"
