"""The settings of the rule that can be saved: what each is called, what it may be, and how a value is said."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from app.errors import Refused
from app.words import N_, Nn_, _, _n, duration_in_words

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Unit(Enum):
    """What a setting counts, in both forms; a time is in seconds and said in its largest whole unit."""

    TIME = ()
    HOURS = Nn_("{n} hour", "{n} hours")
    DAYS = Nn_("{n} day", "{n} days")
    MEMBERS = Nn_("{n} member", "{n} members")


@dataclass(frozen=True, slots=True)
class Setting:
    """One number of the rule, from `least` to `most`. `by_size`: it may be left to the three tiers by size (None)."""

    name: str
    title: str
    unit: Unit
    least: int
    most: int
    by_size: bool = False

    @property
    def variable(self) -> str:
        """What it is called in the environment."""
        return f"WORKSHOP_{self.name.upper()}"

    def in_words(self, value: int | None) -> str:
        """A value as people read it: `12 hours`, `2 members`."""
        if value is None:
            return _("half an hour, one hour or two, by the number of people needed")
        if self.unit is Unit.TIME:
            return duration_in_words(timedelta(seconds=value))
        one, many = self.unit.value
        return _n(one, many, value).format(n=value)

    def check(self, value: int | None) -> None:
        """Raise `Refused` for what it cannot be, with what it can."""
        if value is None and self.by_size:
            return
        if value is None or not self.least <= value <= self.most:
            raise Refused(
                _("“{title}” can be from {least} to {most}. Choose a number in between; nothing was changed.").format(
                    title=_(self.title), least=self.in_words(self.least), most=self.in_words(self.most)
                ),
                pointer="/value",
            )


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("wait_routine", N_("Waiting time, as a rule"), Unit.TIME, 0, 30 * DAY),
        Setting("wait_rapid", N_("Waiting time in rapid mode"), Unit.TIME, 0, DAY, by_size=True),
        Setting("neighbour_wait", N_("Waiting time after a neighbour was approved"), Unit.TIME, 0, 7 * DAY),
        Setting("rapid_lasts", N_("How long rapid mode lasts"), Unit.TIME, HOUR, 14 * DAY),
        Setting("active_days", N_("A member counts as active for"), Unit.DAYS, 1, 365),
        Setting("seasoning_hours", N_("A newcomer’s votes can count after"), Unit.HOURS, 0, 720),
        Setting("vouches", N_("Members who vouch for a newcomer"), Unit.MEMBERS, 0, 10),
        Setting("founders", N_("The first, whose votes count at once"), Unit.MEMBERS, 1, 10_000),
        Setting("chapter_days", N_("A new chapter counts by itself after"), Unit.DAYS, 0, 365),
    )
}


def get_setting(name: str) -> Setting:
    """The setting with this name; raises `Refused` for one that is not of the rule."""
    if name not in SETTINGS:
        raise Refused(
            _("The rule has no number called “{name}”. Choose one of these: {names}.").format(
                name=name, names=", ".join(SETTINGS)
            ),
            pointer="/setting",
        )
    return SETTINGS[name]
