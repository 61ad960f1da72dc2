"""What broke a decoder once does not break it again."""

import io
import lzma
import tracemalloc
from pathlib import Path

import pytest

from stream_enforcer.domain.events import Malformed, decode
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.geo import load_geo
from stream_enforcer.replay.event_files import event_records
from tests.fuzz.findings import FINDINGS
from tests.fuzz.limit import within
from tests.fuzz.targets import TARGETS

SECONDS = 3.0


@pytest.mark.parametrize("what", FINDINGS)
def test_it_is_refused_or_taken_in_time(what: str) -> None:
    decoder, content = FINDINGS[what]
    with within(SECONDS):
        TARGETS[decoder](content)


def test_a_megabyte_of_errors_costs_little_memory() -> None:
    _, content = FINDINGS["a megabyte of bad rules"]
    (record,) = event_records("overrides", io.BytesIO(content))
    tracemalloc.start()
    try:
        found = decode(record, "override")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Malformed)
    assert most < 60 * len(content)


def test_a_small_file_cannot_unpack_to_all_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_enforcer.reference.geo._MOST_UNPACKED", 1 << 16)
    path = tmp_path / "zeros.xz"
    path.write_bytes(lzma.compress(bytes(1 << 24)))
    with pytest.raises(BadReference, match="unpacks to more than 65536 bytes"):
        load_geo([str(path)])
    path.write_bytes(lzma.compress(bytes(1 << 10))[:-1])
    with pytest.raises(BadReference, match="is not a whole xz file"):
        load_geo([str(path)])
