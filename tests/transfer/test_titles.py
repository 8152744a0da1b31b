import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pages.text import clean_line
from app.transfer.titles import MAX_TITLE, one_line, title_of, unique_slugs
from tests.transfer.git_oracle import slug_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Crime\n\n# Punishment\n", "Crime"),
        ("Intro.\n\n## Part\n\nCrime\n=====\n", "Crime"),
        ("---\ntitle: From front matter\n---\n\n# Crime\n", "Crime"),
        ("---\nlayout: page\ntitle: Crime\n---\n\n## Part\n", "Crime"),
        ('---\ntitle: "Crime &amp; Justice"\n---\n', "Crime & Justice"),
        ("---\ntitle: 'Crime' # working title\n---\n", "Crime"),
        ("---\ntitle: >\n  folded\n---\n", "Foreign policy"),
        ("```\n# no heading\n```\n", "Foreign policy"),
        ("# \n\ntext\n", "Foreign policy"),
        ("", "Foreign policy"),
        ("# **Crime** &amp; `law`, [more](x)\n", "Crime & law, more"),
        ("# Cri\u202eme \u200b\n", "Crime"),
    ],
)
def test_a_title_is_the_first_top_heading_else_the_front_matters_else_the_files_name(text: str, title: str) -> None:
    assert title_of(text, "world/foreign_policy.md") == title


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("constituencies/index.md", "Constituencies"),
        ("index.md", "Index"),
        ("a/b/README.md", "B"),
        ("local-plan_2.md", "Local plan 2"),
        ("-.md", "Untitled"),
    ],
)
def test_a_file_without_title_is_called_after_its_path(path: str, title: str) -> None:
    assert title_of("text", path) == title


def test_a_long_title_is_cut_with_an_ellipsis() -> None:
    assert title_of("# " + "long " * 100, "a.md") == ("long " * 24)[: MAX_TITLE - 1].rstrip() + "…"


def test_a_line_that_just_fits_is_left_alone() -> None:
    assert one_line("abc", 3) == "abc"


ODD = st.text(st.sampled_from("a \t\n\x07\u0301\u0958\u00ad\u200b\u200d\u202e\u2028\ud800\ufeff—"), max_size=700)


@settings(max_examples=150)
@given(ODD | st.text(max_size=200), st.sampled_from([20, 120, 500]))
def test_a_line_is_one_that_titles_and_summaries_may_be(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert clean_line(line, pointer="", max_length=limit) == line


def test_a_letter_heaped_with_accents_loses_most_of_them() -> None:
    heaped = "x" + "\u0301" * 8 + "y"
    assert one_line("x" + "\u0301" * 400 + "y", 120) == heaped
    assert one_line("x" + "\u0301\u00ad\u202e\x07" * 220 + "y", 120) == heaped


@settings(max_examples=50)
@given(ODD)
def test_a_page_always_has_a_title_that_can_be_seen(text: str) -> None:
    title = title_of(f"# {text}", f"{text}.md")
    assert clean_line(title, pointer="", max_length=MAX_TITLE, required=True) == title


def test_an_address_with_a_number_stays_as_short_as_addresses_must_be() -> None:
    def short_slug(title: str) -> str:
        return slug_of(title)[:6].rstrip("-")

    assert unique_slugs(["abcdef.md", "abcdefg.md", "abcdefgh.md"], short_slug) == ["abcdef", "abcd-2", "abcd-3"]


def test_addresses_are_unique_and_never_empty() -> None:
    paths = ["a/b.md", "a-b.md", "a-b-2.md", "…/¿.md"]
    assert unique_slugs(paths, slug_of) == ["a-b", "a-b-2", "a-b-2-2", "page"]
