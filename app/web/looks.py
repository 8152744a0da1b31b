"""How the site looks and works for one reader: a cookie the server reads, so that nothing flashes on the way."""

from dataclasses import dataclass, replace

from starlette.requests import Request

COOKIE = "look"
DAYS = 365
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Look:
    """`theme` is one of `THEMES`; `strong`: more contrast; `keys`: single keys do things."""

    theme: str = "system"
    strong: bool = False
    keys: bool = True

    def as_cookie(self) -> str:
        return ".".join([self.theme, *(["strong"] if self.strong else []), *([] if self.keys else ["nokeys"])])


def look_of(request: Request) -> Look:
    """What the reader chose; whatever else stands in the cookie is passed over."""
    words = request.cookies.get(COOKIE, "").split(".")
    theme = next((word for word in words if word in THEMES), "system")
    return replace(Look(theme), strong="strong" in words, keys="nokeys" not in words)


def own_address(address: str) -> str:
    """Only a path of this site; anything else could lead people astray."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"
