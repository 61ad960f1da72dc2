"""Links of the repository become links of the site, and what they lead to comes along."""

from pathlib import PurePosixPath

import pytest

from tools.docs_site.links import for_site, linked_files, repository_place, site_place

PAGE = PurePosixPath("docs/adr/page.md")


def shown(text: str, page: PurePosixPath = PAGE) -> str:
    return for_site(text, page, lambda path: path == PurePosixPath("deploy/helm"))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("docs/concepts.md", "concepts.md"),
        ("README.md", "index.md"),
        ("deploy/README.md", "deployment.md"),
        ("schemas/signup.schema.json", "repository/schemas/signup.schema.json"),
        ("LICENSE", "repository/LICENSE.txt"),
    ],
)
def test_a_file_has_a_place_in_the_site(path: str, place: str) -> None:
    assert site_place(PurePosixPath(path)) == place


@pytest.mark.parametrize("path", ["docs/concepts.md", "README.md", "deploy/README.md", "tests/README.md"])
def test_a_page_of_the_site_is_found_again_in_the_repository(path: str) -> None:
    assert repository_place(site_place(PurePosixPath(path))) == PurePosixPath(path)


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("../concepts.md#ownership", "../concepts.md#ownership"),
        ("../../README.md", "../index.md"),
        ("../../schemas/a.json", "../repository/schemas/a.json"),
        ("../../deploy/README.md#files", "../deployment.md#files"),
        ("#here", "#here"),
        ("https://example.com/a.md", "https://example.com/a.md"),
    ],
)
def test_a_link_leads_to_the_same_file_in_the_site(link: str, becomes: str) -> None:
    assert shown(f"[a]({link}) and ![b]({link})") == f"[a]({becomes}) and ![b]({becomes})"


def test_a_page_that_is_elsewhere_in_the_site_has_its_links_from_there() -> None:
    assert shown("[a](docs/policy.md)", PurePosixPath("README.md")) == "[a](policy.md)"
    assert shown("[a](../docs/policy.md)", PurePosixPath("deploy/README.md")) == "[a](policy.md)"


def test_a_folder_is_named_and_not_linked() -> None:
    assert shown("[the chart](../../deploy/helm)") == "the chart (`deploy/helm/`)"


def test_code_stays_as_it_is_but_for_the_exit_code() -> None:
    assert shown("```console exit=1\n$ a [b](c)\n```\n") == "```console\n$ a [b](c)\n```\n"
    assert shown('```json title="a"\n[b](c)\n```\n') == '```json title="a"\n[b](c)\n```\n'


def test_a_bar_in_code_in_a_table_needs_no_mark() -> None:
    assert shown("| `a\\|b` | c\\|d |\n`a\\|b`") == "| `a|b` | c\\|d |\n`a\\|b`"


def test_files_outside_are_found_through_pages_outside() -> None:
    pages = {
        "docs/a.md": "[x](b.md) [y](../deploy/README.md) [z](https://example.com)\n```\n[v](../not.md)\n```\n",
        "deploy/README.md": "[w](job.yaml) [a](../docs/a.md)",
    }
    found = linked_files([PurePosixPath("docs/a.md")], lambda path: pages[str(path)])
    assert found == {PurePosixPath("deploy/README.md"), PurePosixPath("deploy/job.yaml")}
