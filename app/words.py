"""The interface's words in the reader's language: gettext messages, in English where no catalogue has them.

Values go in by name: `_("No page is called “{slug}”.").format(slug=slug)`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from gettext import NullTranslations

_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Language:
    """`code` as in HTML and Accept-Language, such as `pt-BR`; `translations` is a gettext catalogue."""

    code: str
    translations: NullTranslations = field(compare=False)

    @property
    def direction(self) -> str:
        """As HTML's `dir` has it."""
        return "rtl" if self.code.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


ENGLISH = Language("en", NullTranslations())

_spoken: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def language() -> Language:
    """What is spoken here and now: the reader's language while a screen is made, else English."""
    return _spoken.get()


@contextmanager
def speaking(chosen: Language) -> Iterator[None]:
    """Let messages come in this language until the end of the block, also in threads that are started within."""
    before = _spoken.set(chosen)
    try:
        yield
    finally:
        _spoken.reset(before)


def _(message: str) -> str:
    """The message in the reader's language."""
    return _spoken.get().translations.gettext(message)


def _n(one: str, many: str, number: int) -> str:
    """The form of the message that goes with the number, in the reader's language."""
    return _spoken.get().translations.ngettext(one, many, number)


def N_(message: str) -> str:  # noqa: N802  # the name that gettext's users know it by
    """The message as it is, marked for translators; whoever shows it translates it."""
    return message


def Nn_(one: str, many: str) -> tuple[str, str]:  # noqa: N802
    """Both forms of a message as they are, marked for translators; `_n(*forms, number)` translates them."""
    return one, many


_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
_SHORT_MONTHS = (
    N_("Jan"),
    N_("Feb"),
    N_("Mar"),
    N_("Apr"),
    N_("May"),
    N_("Jun"),
    N_("Jul"),
    N_("Aug"),
    N_("Sep"),
    N_("Oct"),
    N_("Nov"),
    N_("Dec"),
)


def month_in_words(moment: datetime) -> str:
    """The name of the month: `November`."""
    return _(_MONTHS[moment.month - 1])


def in_words(moment: datetime) -> str:
    """A moment as people read it, in UTC: `22 Nov 2026, 14:32`."""
    return _("{day} {month} {year}, {time}").format(
        day=moment.day, month=_(_SHORT_MONTHS[moment.month - 1]), year=moment.year, time=f"{moment:%H:%M}"
    )


def unended(sentence: str) -> str:
    """Without its full stop, as it stands in quotation marks before the full stop of another sentence."""
    return sentence.removesuffix(".")


def duration_in_words(span: timedelta) -> str:
    """A time span in its largest unit that says it exactly: `12 hours`, `90 minutes`, `14 days`, `no time`."""
    seconds = round(span.total_seconds())
    if not seconds:
        return _("no time")
    if seconds % 86_400 == 0 and seconds > 86_400:
        return _n("{n} day", "{n} days", seconds // 86_400).format(n=seconds // 86_400)
    if seconds % 3_600 == 0:
        return _n("{n} hour", "{n} hours", seconds // 3_600).format(n=seconds // 3_600)
    if seconds % 60 == 0:
        return _n("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return _n("{n} second", "{n} seconds", seconds).format(n=seconds)


def day_in_words(moment: datetime) -> str:
    """The day of a moment in UTC: `22 November 2026`."""
    return _("{day} {month} {year}").format(day=moment.day, month=month_in_words(moment), year=moment.year)
