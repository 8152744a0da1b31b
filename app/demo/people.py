"""Who takes part in the invented campaign: five chapters and their members."""

from dataclasses import dataclass

from app.permissions import Role

PASSWORD = "try-it-out"
"""Everybody's. The demo is for one's own machine; nobody is safe behind a password that is printed."""

CHAPTERS = {
    "harbour-quarter": "Harbour Quarter",
    "skelliby": "Skelliby",
    "pellingwick": "Pellingwick",
    "branch-12": "Ferry and Bus Crews, Branch 12",
    "tarrowmere-veterans": "Veterans of Tarrowmere",
}


@dataclass(frozen=True, slots=True)
class Person:
    """A member. `visits` marks those whom a visitor signs in as: they vote only where the story says so."""

    name: str
    chapter: str
    role: Role = Role.MEMBER
    visits: bool = False


PEOPLE = (
    Person("Ines Holm", "harbour-quarter", Role.ADMIN, visits=True),
    Person("Mara Velt", "harbour-quarter", Role.WRITER, visits=True),
    Person("Tobias Renfell", "harbour-quarter"),
    Person("ليلى حدّاد", "harbour-quarter", Role.WRITER),
    Person("Odalys Brennick", "harbour-quarter"),
    Person("佐原 美波", "harbour-quarter", Role.WRITER),
    Person("Piet Vandervoor", "harbour-quarter"),
    Person("Dewi Harrowlea", "harbour-quarter"),
    Person("Joss Tamberlin", "harbour-quarter"),
    Person("Wanda Olt", "skelliby", visits=True),
    Person("Amadou Tirelle", "skelliby"),
    Person("Ruth Pennyfold", "skelliby"),
    Person("Bartosz Wilczur-Nowy", "skelliby"),
    Person("Greta Solvang-Hay", "skelliby"),
    Person("Fergus Auchterlone", "skelliby"),
    Person("Camila Duarte-Roe", "skelliby"),
    Person("Hamish Oldcroy", "skelliby"),
    Person("Edda Lindqvarn", "pellingwick", Role.WRITER),
    Person("Samuel Obiakwe", "pellingwick"),
    Person("יעל בן־שחרור", "pellingwick"),
    Person("Petra Kovalenn", "pellingwick"),
    Person("Idris Marchbanke", "pellingwick"),
    Person("Wren Castellow", "pellingwick"),
    Person("Thandi Mokwelo", "pellingwick"),
    Person("Len Garrow", "branch-12", Role.MODERATOR, visits=True),
    Person("Maeve Quillanty", "branch-12"),
    Person("陳志湖", "branch-12"),
    Person("Ruslan Demchur", "branch-12"),
    Person("Bea Thornquell", "branch-12"),
    Person("Kofi Asante-Brightwell", "branch-12"),
    Person("Noor Tamsin", "tarrowmere-veterans", visits=True),
    Person("Harriet Stanmoore", "tarrowmere-veterans"),
    Person("Desmond Ockleigh", "tarrowmere-veterans"),
    Person("Aylin Toprakli", "tarrowmere-veterans"),
    Person("มาลี วงศ์ทะเล", "tarrowmere-veterans"),
)
FOUNDER = PEOPLE[0].name
