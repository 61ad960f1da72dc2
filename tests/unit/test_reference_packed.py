import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stream_enforcer.reference import packed
from stream_enforcer.reference.errors import BadReference
from stream_enforcer.reference.packed import opened

CONTENT = b"one\ntwo\n" * 1000


def zipped(*members: bytes, folder: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if folder:
            archive.mkdir("folder")
        for number, member in enumerate(members):
            archive.writestr(f"folder/{number}.json", member)
    return buffer.getvalue()


def unpacked(folder: Path, content: bytes) -> bytes:
    path = folder / "register"
    path.write_bytes(content)
    with opened(path) as stream:
        return stream.read()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lzma.compress, zipped, lambda c: zipped(c, folder=True)]
)
@pytest.mark.parametrize("content", [CONTENT, b""])
def test_packed_files_give_what_was_packed(
    tmp_path: Path, pack: Callable[[bytes], bytes], content: bytes
) -> None:
    assert unpacked(tmp_path, pack(content)) == content


def test_a_gzip_file_of_several_parts_is_read_to_its_end(tmp_path: Path) -> None:
    assert unpacked(tmp_path, gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"


def encrypted(content: bytes) -> bytes:
    """Set the flag of encryption in the archive's directory."""
    at = content.index(b"PK\x01\x02") + 8
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


def wrong_sum(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02") + 16
    return content[:at] + bytes(4) + content[at + 4 :]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CONTENT, mtime=0)[:-12], "is damaged after"),
        (gzip.compress(CONTENT, mtime=0)[:-8] + bytes(8), "is damaged after 0 unpacked bytes: CRC"),
        (gzip.compress(CONTENT, mtime=0)[:12] + b"\xff" * 40, "is damaged after 0 unpacked bytes"),
        (lzma.compress(CONTENT)[:-20], "is damaged after"),
        (lzma.compress(CONTENT)[:40] + b"\xff" * 40, "is damaged after"),
        (zipped(CONTENT)[:-30], "is not a zip archive that can be read"),
        (wrong_sum(zipped(CONTENT)), "is damaged after"),
        (zipped(CONTENT, CONTENT), "is a zip archive with 2 files; it must have one"),
        (zipped(), "is a zip archive with 0 files; it must have one"),
        (encrypted(zipped(CONTENT)), "is an encrypted zip archive"),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadReference, match=message) as caught:
        unpacked(tmp_path, content)
    assert caught.value.path == str(tmp_path / "register")


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zipped])
def test_what_unpacks_to_far_too_much_is_refused_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED", 1 << 20)
    bomb = pack(bytes(8 << 20))
    assert len(bomb) * packed.MOST_TIMES < 8 << 20
    path = tmp_path / "bomb"
    path.write_bytes(bomb)
    allowed = max(1 << 20, packed.MOST_TIMES * len(bomb))
    with opened(path) as stream:
        assert sum(len(stream.read(packed.CHUNK)) for _ in range(allowed // packed.CHUNK)) <= allowed
        with pytest.raises(BadReference, match="unpacks to more than 200 times its size"):
            stream.read(packed.CHUNK)
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED", 8 << 20)
    assert len(unpacked(tmp_path, bomb)) == 8 << 20
