"""What a screen of programs shows, as a browser without scripts has it."""

import re
from html import unescape

import httpx


def field(answer: httpx.Response, name: str) -> str:
    """What stands in the input of this name or id."""
    found = re.search(rf'<input[^>]*\b(?:name|id)="{re.escape(name)}"[^>]*>', answer.text)
    assert found, f"no field {name} in {answer.text}"
    value = re.search(r'\bvalue="([^"]*)"', found[0])
    return unescape(value[1]) if value else ""


def chosen(answer: httpx.Response, name: str) -> list[str]:
    """The values of the boxes of this name that are ticked."""
    boxes = re.findall(rf'<input[^>]*name="{name}"[^>]*>', answer.text)
    return [re.findall(r'value="([^"]*)"', box)[0] for box in boxes if " checked" in box]


def offered(answer: httpx.Response, name: str) -> list[str]:
    """The values of all boxes of this name."""
    return re.findall(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', answer.text)


def problem(answer: httpx.Response) -> str:
    """What the page says against what was typed."""
    found = re.search(r'class="problem".*?<p>(.*?)</p>', answer.text, re.DOTALL)
    return unescape(found[1]) if found else ""


def said(answer: httpx.Response) -> str:
    """All that the page says, without tags, in single spaces."""
    main = answer.text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())
