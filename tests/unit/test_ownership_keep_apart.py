"""How a merge is seen, and undone: `--merges` and `--keep-apart`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stream_enforcer.cli.ownership import app
from stream_enforcer.domain.ownership.identity import Apart
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.keep_apart import read_keep_apart
from stream_enforcer.reference.ownership import read_ownership
from stream_enforcer.reference.world_files import load_world
from stream_enforcer.snapshot import graph as snapshot_graph
from stream_enforcer.snapshot.building import build
from stream_enforcer.snapshot.digest import key_of
from stream_enforcer.snapshot.graph import Snapshot
from tests import gleif_builders as gleif
from tests.identity_builders import native_entity, written

P = gleif.lei("P")
LEI_P = {"identifiers": {"lei": P}}


def keep(folder: Path, text: str) -> Path:
    path = folder / "apart.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_kept_apart_is_read(tmp_path: Path) -> None:
    found = read_keep_apart(keep(tmp_path, "# why\n\na  b\r\nc\n"))
    assert found == Apart(frozenset({"c"}), frozenset({("a", "b"), ("b", "a")}))
    assert read_keep_apart(None) == Apart()


@pytest.mark.parametrize("line", ["a b c", "a a"])
def test_a_line_that_keeps_nothing_apart_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadReference, match=r"apart.txt:2: is neither one id nor two"):
        read_keep_apart(keep(tmp_path, f"x y\n{line}\n"))
    with pytest.raises(BadReference, match="can't be read: No such file"):
        read_keep_apart(tmp_path / "none")
    (tmp_path / "apart.txt").write_bytes(b"\xff\n")
    with pytest.raises(BadReference, match="is not UTF-8"):
        read_keep_apart(tmp_path / "apart.txt")


def test_a_merge_is_undone_by_keeping_apart_and_the_hash_tells(tmp_path: Path) -> None:
    paths = written(tmp_path, {"native": [native_entity("n", **LEI_P)], "lei": [gleif.company("P")]})
    merged = read_ownership(paths)
    assert len(merged.graph.entities) == 1
    hashes = {merged.graph.hash}
    for text in (f"n {P}\n", f"{P}\n"):
        apart = read_ownership(paths, keep_apart=keep(tmp_path, text))
        assert set(apart.graph.entities) == {"n", P}
        assert not apart.graph.merged
        hashes.add(apart.graph.hash)
    assert len(hashes) == 3
    told = load_world(None, [], paths, keep_apart=keep(tmp_path, "unheard\n"))
    assert told.identity.apart_unknown == 1


def test_a_snapshot_that_was_built_with_other_ids_to_keep_apart_is_refused(tmp_path: Path) -> None:
    paths = written(tmp_path, {"native": [native_entity("n")]})
    build(paths, tmp_path / "s", keep_apart=keep(tmp_path, "a b\n"))
    assert read_ownership([tmp_path / "s"], keep_apart=keep(tmp_path, "b a\n")).graph.entities
    with pytest.raises(BadReference, match=r"s: was built with other ids to keep apart than .*apart.txt"):
        read_ownership([tmp_path / "s"], keep_apart=keep(tmp_path, "a c\n"))


def test_an_id_that_shares_a_hash_with_a_merged_one_is_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(
        written(tmp_path, {"native": [native_entity("a"), native_entity("b", same_as=["a"])]}), tmp_path / "s"
    )
    found = Snapshot(tmp_path / "s").graph.merged
    hashed = key_of("b")
    monkeypatch.setattr(snapshot_graph, "key_of", lambda _: hashed)
    assert (found.get("b"), found.get("z")) == ("a", None)


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def merged(tmp_path: Path) -> list[Path]:
    record = native_entity("n\x1b", country="US", **LEI_P)
    return written(tmp_path, {"native": [record], "lei": [gleif.company("P", "CN")]})


def test_info_lists_merges_with_their_reasons_and_contradictions(tmp_path: Path, merged: list[Path]) -> None:
    built = ask("build", *merged, "-o", tmp_path / "s")
    assert "2 ids are of 1 company" in built.stderr
    assert "contradict each other in country: 1 times" in built.stderr
    lines = ask("info", tmp_path / "s").stdout.splitlines()
    assert any(line.split() == ["merged", "2", "ids", "are", "of", "1", "company"] for line in lines)
    assert any(line.split() == ["contradictions", "country", "1"] for line in lines)
    printed = ask("info", tmp_path / "s", "--merges").stdout.splitlines()
    assert printed == [f"n\ufffd = {P}", f"  by lei {P}", "  contradictions: country"]
    (line,) = ask("info", tmp_path / "s", "--merges", "--json").stdout.splitlines()
    assert json.loads(line) == {
        "entity": "n\x1b",
        "others": [P],
        "ties": [f"lei {P}"],
        "conflicts": ["country"],
    }


def test_show_knows_a_company_by_each_of_its_ids(tmp_path: Path, merged: list[Path]) -> None:
    ask("build", *merged, "-o", tmp_path / "s")
    for files in (merged, [tmp_path / "s"]):
        options = [part for path in files for part in ("--ownership", path)]
        shown = ask("show", P, *options, "--restricted", "CN")
        assert shown.exit_code == 0
        assert f"{P} is of the same company as n\ufffd" in shown.stderr
    apart = keep(tmp_path, f"{P}\n")
    options = [part for path in merged for part in ("--ownership", path)]
    shown = ask("show", P, *options, "--restricted", "CN", "--keep-apart", apart)
    assert shown.stdout.startswith(f"P Ltd [{P}]")
    assert "same company" not in shown.stderr
