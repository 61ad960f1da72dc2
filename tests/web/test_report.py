"""The report as bytes: equal for equal results, escaped, and under a policy that lets its own script run alone."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_enforcer.replay.report import report
from stream_enforcer.replay.report.charts import step_of
from stream_enforcer.replay.report.columns import kind_of
from stream_enforcer.replay.report.page import embedded
from stream_enforcer.replay.report.policy_diff import policy_diff
from stream_enforcer.replay.report.wording import milliseconds, money, percent, short_money, told, visible
from tests.web.sample import Sample, sample

HOSTILE = "</script></style><img src=x onerror=alert(1)>&amp;\u202e\u2028'\"{{ 7 * 7 }}"


def html(shown: Sample) -> str:
    return report(shown.summary, shown.rows).decode()


def table_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    table: dict[str, Any] = json.loads(found[1])
    return table


def everywhere(value: Any, put: Callable[[str], str]) -> Any:
    """Return JSON with every free text in it changed; days, times, actions and the like stay."""
    kept = {"action", "since", "day", "from", "to", "first_difference", "verdict", "kind"}
    if isinstance(value, dict):
        return {
            name: item if name in kept and not isinstance(item, dict | list) else everywhere(item, put)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [everywhere(item, put) for item in value]
    return put(value) if isinstance(value, str) else value


def hostile(shown: Sample) -> Sample:
    def put(text: str) -> str:
        return text + HOSTILE

    rows = everywhere(shown.rows, put)
    for row in rows:
        row["names"] = {put(entity): name for entity, name in row["names"].items()}
    return Sample(everywhere(shown.summary, put), rows)


@pytest.fixture(scope="module")
def small() -> Sample:
    return sample(changes=60, accounts=5_000)


@pytest.fixture(scope="module")
def page(small: Sample) -> str:
    return html(small)


def test_equal_results_give_equal_bytes(small: Sample, page: str) -> None:
    again = deepcopy(small)
    for row in again.rows:
        row["names"] = dict(reversed(row["names"].items()))
    assert html(again) == page


def test_the_policy_names_the_one_style_and_the_one_script_by_hash(page: str) -> None:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found is not None
    policy = dict(part.split(" ", 1) for part in unescape(found[1]).split("; "))
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {
        name: f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for name, text in {"style-src": style, "script-src": script}.items()
    }
    assert hashes.items() <= policy.items()
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in found[1]


def test_nothing_in_the_page_comes_from_elsewhere_or_runs_inline(page: str) -> None:
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert re.findall(r"<[^>]*\s(?:on\w+|style|src)=", body) == []
    assert {link for link in re.findall(r'href="([^"]*)"', body) if not link.startswith("#")} == set()


def test_hostile_text_adds_no_element_to_the_page(small: Sample, page: str) -> None:
    def elements(text: str) -> list[str]:
        return re.findall(r"<(\w+)", text)

    worse = html(hostile(small))
    assert "<img" not in worse
    assert "7 * 7" in worse
    assert "\u202e" not in worse
    assert elements(worse) == elements(page)


@given(st.text())
def test_what_is_embedded_reads_back_and_can_end_no_element(text: str) -> None:
    written = str(embedded({"text": text.encode("utf-8", "replace").decode()}))
    assert json.loads(written)["text"] == text.encode("utf-8", "replace").decode()
    assert not set(written) & set("<>&\u2028\u2029")


@given(st.text(max_size=50))
def test_visible_text_is_printable_and_is_left_alone_where_it_was(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2028\x00\x1b\u200b")
    if text.isprintable():
        assert shown == text


def test_text_of_a_megabyte_is_cut_and_says_how_long_it_was() -> None:
    shown = visible("x" * 1_000_000)
    assert len(shown) < 500
    assert shown.endswith("\u2026 (1,000,000 characters)")


def test_every_row_is_in_the_page_with_what_it_says(small: Sample, page: str) -> None:
    table = table_of(page)
    columns, strings = table["columns"], table["strings"]
    for at, row in enumerate(small.rows):
        assert columns["account"][at] == row["account_id"]
        assert columns["cost"][at] == row["cost_usd_micros_per_month"]
        for side in ("old", "new"):
            action, review, reasons = table["outcomes"][columns[side][at]]
            assert table["actions"][action] == row[side]["action"]
            assert bool(review) is row[side]["review"]
            assert [strings[reason] for reason in reasons] == row[side]["reasons"]
        assert table["earliest"] + columns["first"][at] == milliseconds(row["first_difference"], "")


def test_an_ownership_object_stands_once_however_many_accounts_have_it(small: Sample, page: str) -> None:
    table = table_of(page)
    kept = [row["ownership"] for row in small.rows if row["ownership"] is not None]
    assert len(table["ownership"]) == len({json.dumps(one, sort_keys=True) for one in kept}) < len(kept)
    place = next(place for place in table["columns"]["ownership"] if place >= 0)
    edges = table["ownership"][place][5]
    proof = next(one for one in kept if one["entity"] == table["strings"][table["ownership"][place][0]])[
        "proof"
    ]
    assert [table["edges"][edge][2] for edge in edges] == [edge["min"] for edge in proof]


def test_twenty_thousand_changes_fit_in_fifteen_megabytes() -> None:
    shown = sample(changes=20_000)
    assert len(html(shown)) < 15_000_000


def test_a_replay_that_changes_nothing_says_so() -> None:
    page = html(sample(changes=0, accounts=12))
    assert "No account of 12 would be suspended, or served again, by the change." in page
    assert "No account is suspended." in page
    assert "No suspension is new or lifted." in page


def test_a_side_without_policy_and_a_period_without_events_are_shown(small: Sample) -> None:
    bare = deepcopy(small.summary)
    bare["run"]["old"] |= {
        "policy": None,
        "reference": None,
        "policy_text": None,
        "what": "published decisions",
    }
    bare["run"]["period"] = {"from": None, "to": None}
    bare["run"]["sources"], bare["run"]["notes"], bare["gates"] = [], [], []
    page = report(bare, small.rows).decode()
    assert "as each decision names it" in page
    assert "no events" in page
    assert "Only the new side was judged by a policy whose text is known." in page
    assert 'id="gates"' not in page


def test_a_time_that_is_none_is_refused_with_its_place(small: Sample) -> None:
    rows = deepcopy(small.rows)
    rows[3]["new"]["since"] = "yesterday"
    with pytest.raises(ValueError, match=r"row 4: new\.since: 'yesterday'"):
        report(small.summary, rows)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        milliseconds("2026-11-01T00:00:00", "here")


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (("allow", False), ("suspend", False), "suspended"),
        ((None, False), ("suspend", True), "suspended"),
        (("suspend", False), ("allow", True), "lifted"),
        (("allow", False), ("allow", True), "review"),
        (("suspend", True), ("suspend", False), "cleared"),
        (("allow", True), ("allow", True), "other"),
        ((None, False), ("allow", False), "other"),
    ],
)
def test_a_change_is_named_by_its_action_first(
    old: tuple[str | None, bool], new: tuple[str | None, bool], kind: str
) -> None:
    sides = [{"action": action, "review": review} for action, review in (old, new)]
    assert kind_of(*sides) == kind


@pytest.mark.parametrize(
    ("micros", "exact", "short"),
    [
        (0, "$0", "$0"),
        (9_999, "< $0.01", "< $0.01"),
        (9_500_000, "$9.50", "$9.50"),
        (1_234_000_000, "$1,234", "$1,234"),
        (54_321_000_000, "$54,321", "$54.3\u00a0k"),
        (2_000_000_000_000, "$2,000,000", "$2\u00a0M"),
        (10**18, "$1,000,000,000,000", "$1,000\u00a0B"),
    ],
)
def test_money_is_written_in_full_and_in_short(micros: int, exact: str, short: str) -> None:
    assert (money(micros), short_money(micros)) == (exact, short)


def test_a_share_that_is_not_nothing_is_not_shown_as_nothing() -> None:
    assert percent(1, 1_000_000) == "<\u00a00.01\u00a0%"
    assert percent(1, 8) == "12.5\u00a0%"
    assert percent(0, 0) == "0\u00a0%"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (["CN", "RU"], "CN, RU"),
        ([], "none"),
        ("", "none"),
        (1234, "1,234"),
        ({"a": [1]}, '{"a":[1]}'),
    ],
)
def test_the_value_of_a_fact_is_told_in_words(value: Any, words: str) -> None:
    assert told(value) == words


@given(st.integers(1, 10**18), st.integers(1, 6))
def test_ticks_stand_at_round_numbers_and_are_no_more_than_there_is_room_for(
    greatest: int, ticks: int
) -> None:
    step = step_of(greatest, ticks)
    assert -(-greatest // step) <= ticks
    assert str(step).rstrip("0") in ("1", "2", "5")


def test_the_diff_of_two_policies_counts_its_lines() -> None:
    found = policy_diff("a\nb\n", "a\nc\nd\n")
    assert [(line.kind, line.text) for line in found.lines[1:]] == [
        ("same", " a"),
        ("removed", "-b"),
        ("added", "+c"),
        ("added", "+d"),
    ]
    assert (found.added, found.removed) == (2, 1)
    assert policy_diff("a", "a\n").words == "Both sides have the same policy."
