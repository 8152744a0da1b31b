import pytest

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
        ("# Cri\u202eme \u200b\n", "Cri me"),
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


def test_addresses_are_unique_and_never_empty() -> None:
    paths = ["a/b.md", "a-b.md", "a-b-2.md", "…/¿.md"]
    assert unique_slugs(paths, slug_of) == ["a-b", "a-b-2", "a-b-2-2", "page"]
