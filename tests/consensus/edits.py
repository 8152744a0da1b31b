"""Random pages, and random edits of them as people make them."""

from random import Random

from hypothesis import strategies as st

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron rho sigma tau".split()
CHARACTERS = "市民 党 政策 教育 予算 支援 戦争 平和 医療 税金".split()

randoms = st.randoms(use_true_random=False)


def make_page(random: Random) -> list[str]:
    """Up to eight blocks; no two are equal, as equal ones have tests of their own."""
    return list(dict.fromkeys(_make_block(random) for _ in range(random.randint(1, 8))))


def edit_page(random: Random, page: list[str]) -> list[str]:
    """The page with one or two blocks or sentences inserted, removed or rewritten."""
    blocks = list(page)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(blocks))
        choice = random.random()
        if choice < 0.3:
            blocks.insert(at + random.randint(0, 1), _make_block(random))
        elif choice < 0.45 and len(blocks) > 1:
            del blocks[at]
        elif choice < 0.55:
            blocks[at] = _make_block(random)
        else:
            blocks[at] = _edit_sentences(random, blocks[at])
    return blocks


def move_blocks(random: Random, page: list[str]) -> list[str]:
    """The page with one or two blocks in another place."""
    blocks = list(page)
    for _ in range(random.randint(1, 2)):
        block = blocks.pop(random.randrange(len(blocks)))
        blocks.insert(random.randint(0, len(blocks)), block)
    return blocks


def render(blocks: list[str]) -> str:
    """The blocks as a text, lists without empty lines between their items."""
    text = blocks[0]
    for before, after in zip(blocks, blocks[1:], strict=False):
        both_items = before.lstrip().startswith("- ") and after.lstrip().startswith("- ")
        text += ("\n" if both_items else "\n\n") + after
    return text + "\n"


def _make_sentence(random: Random) -> str:
    return " ".join(random.choice(WORDS) for _ in range(random.randint(3, 7))).capitalize() + "."


def _make_block(random: Random) -> str:
    choice = random.random()
    if choice < 0.2:
        return "#" * random.randint(1, 3) + " " + " ".join(random.sample(WORDS, random.randint(1, 3)))
    if choice < 0.4:
        return random.choice(["- ", "- ", "  - ", "1. "]) + _make_sentence(random)
    if choice < 0.5:
        return "".join("".join(random.sample(CHARACTERS, 4)) + "。" for _ in range(random.randint(1, 3)))
    if choice < 0.6:
        rows = [f"| {random.choice(WORDS)} | {random.choice(WORDS)} {random.choice(WORDS)} |" for _ in range(2)]
        return "\n".join([rows[0], "|---|---|", rows[1]])
    return " ".join(_make_sentence(random) for _ in range(random.randint(1, 4)))


def _edit_sentences(random: Random, block: str) -> str:
    if not block.endswith("."):
        return _make_block(random)
    sentences = block.removesuffix(".").split(". ")
    at = random.randrange(len(sentences))
    choice = random.random()
    if choice < 0.4:
        sentences[at] = " ".join([*sentences[at].split(" ")[:-1], random.choice(WORDS)])
    elif choice < 0.7:
        sentences.insert(at + 1, _make_sentence(random).removesuffix("."))
    elif len(sentences) > 1 and at:
        del sentences[at]
    else:
        sentences[at] = sentences[at][:3] + _make_sentence(random)[:-1].lower()
    return ". ".join(sentences) + "."
