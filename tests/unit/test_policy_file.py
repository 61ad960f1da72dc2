"""A policy file that cannot be used is refused with one line per problem: file, line, column, field."""

from pathlib import Path

import pytest

from stream_enforcer.reference.policy_file import (
    DEFAULT_POLICY,
    BadPolicy,
    default_policy_path,
    load_policy,
    parse_policy,
)

HEAD = 'id: p\nversion: "1"\nrestricted: [CN]\n'
RULE = "rules:\n  - id: r\n    when: {}\n    outcome: review\n    reason: Because.\n"


def refused(text: str) -> list[str]:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(text, "p.yaml")
    return str(caught.value).splitlines()


def test_the_packaged_policy_is_the_default() -> None:
    policy = load_policy(None)
    assert policy.document.id == DEFAULT_POLICY
    assert policy.hash == load_policy(default_policy_path()).hash


def test_a_policy_reads_as_it_is_written() -> None:
    policy = parse_policy(HEAD + RULE.format("anonymous"), "p.yaml")
    assert (policy.document.id, policy.document.mode) == ("p", "enforce")
    assert policy.rules[0].rule.when == "anonymous"
    assert policy.hash == parse_policy("# A comment.\n" + HEAD + RULE.format("'anonymous'"), "q.yaml").hash


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match=r"gone\.yaml: cannot be read"):
        load_policy(tmp_path / "gone.yaml")


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"id: \xff")
    with pytest.raises(BadPolicy, match=r"p\.yaml: cannot be read"):
        load_policy(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\tid: x", "p.yaml:1:1: not YAML: "),
        ("a: [1", "p.yaml:1:6: not YAML: "),
        ("a: 1\n---\nb: 2\n", "p.yaml:2:1: not YAML: "),
        ("!!python/object:os.system x\n", "p.yaml:1:1: not YAML: "),
        ("a: \0", "p.yaml: not YAML: "),
        ("", "p.yaml:1:1: policy: "),
        ("[]", "p.yaml:1:1: policy: "),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_place(text: str, place: str) -> None:
    assert refused(text)[0].startswith(place)


def test_every_problem_has_its_line_column_and_field() -> None:
    text = HEAD.replace("p", "P").replace('"1"', "1").replace("CN", "CN, XX") + RULE.format("anonymous")
    text += "  - id: s\n    when: anonymous\n    outcome: ban\n"
    assert [line.split(": ")[:2] for line in refused(text)] == [
        ["p.yaml:1:5", "id"],
        ["p.yaml:2:10", "version"],
        ["p.yaml:3:18", "restricted.1"],
        ["p.yaml:11:14", "rules.1.outcome"],
        ["p.yaml:9:5", "rules.1.reason"],
    ]


def test_an_unknown_field_is_refused_where_it_stands() -> None:
    assert refused(HEAD + "treshold: 50\n" + RULE.format("anonymous"))[0].startswith(
        "p.yaml:4:11: treshold: "
    )


def test_a_threshold_that_takes_in_every_company_is_refused() -> None:
    text = HEAD + "ownership: {threshold: 0, strict: false}\n" + RULE.format("anonymous")
    assert refused(text)[0].startswith("p.yaml:4:12: ownership: ")


def test_norway_without_quotes_is_not_taken_for_a_country() -> None:
    assert refused('id: p\nversion: "1"\nrestricted: [NO]\n' + RULE.format("anonymous"))[0].startswith(
        "p.yaml:3:14: restricted.0: "
    )


def test_a_condition_is_refused_with_the_column_in_the_file_and_a_mark_under_it() -> None:
    lines = refused(HEAD + RULE.format("anonymous || foo"))
    assert lines[0].startswith("p.yaml:6:24: rule r: undeclared reference to 'foo'")
    assert lines[0].endswith("(line 1, column 14 of the condition)")
    assert lines[1:] == ["  anonymous || foo", "               ^"]


@pytest.mark.parametrize(
    ("when", "line"),
    [
        (">-\n      anonymous ||\n      foo", "  anonymous || foo"),
        ("|\n      anonymous ||\n      foo", "  foo"),
        ("'anonymous || foo'", "  anonymous || foo"),
    ],
)
def test_a_condition_that_is_folded_or_quoted_is_refused_with_its_start_in_the_file(
    when: str, line: str
) -> None:
    lines = refused(HEAD + RULE.format(when))
    assert lines[0].startswith("p.yaml:6:11: rule r: undeclared reference to 'foo'")
    assert lines[1] == line


def test_a_condition_that_is_merged_in_is_refused_like_any_other() -> None:
    merged = HEAD + "rules:\n  - <<: {when: foo, outcome: review, reason: x}\n    id: r\n"
    assert "undeclared reference to 'foo'" in refused(merged)[0]


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "[" * 5_000])
def test_a_file_without_an_end_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("again", ["restricted: [KP]\n", RULE.format("unlocated")])
def test_a_key_given_twice_is_refused(again: str) -> None:
    assert refused(HEAD + RULE.format("anonymous") + again)
