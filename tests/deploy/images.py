"""Builds the image where no container registry is reached: on a base that is made of Debian's packages.

The base has what `deploy/Dockerfile` expects of the official Python image: Debian, Python 3.11 with its headers,
setuptools and pip. It is kept in `.tools/image`, since it takes minutes to make.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.programs import ROOT, output, program

FOLDER: Final = ROOT / ".tools" / "image"
BASE: Final = "localhost/python:3.11-slim-bookworm"
IMAGE: Final = "localhost/stream-enforcer:test"
PACKAGES: Final = ",".join(
    ["ca-certificates", "python-is-python3", "python3"]
    + [f"python3-{name}" for name in ("dev", "pip", "setuptools", "venv", "wheel")]
)
_SHARED: Final = ("/etc/pip.conf", "/etc/ssl/certs")
"""Where this machine says how packages are fetched."""


def buildah(*words: str | Path) -> str:
    """Run buildah on a store of its own, without a container engine."""
    settings = ("STORAGE_DRIVER=vfs", "BUILDAH_ISOLATION=chroot")
    store = ("--root", FOLDER / "store", "--runroot", FOLDER / "run")
    return output("env", *settings, program("buildah"), *store, *words).strip()


def build() -> str:
    """Build the image and return its name."""
    if os.geteuid() != 0:
        pytest.skip("only root can build an image without a container engine")
    program("buildah")
    if not buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        _build_base()
    shared = [f"--volume={path}:{path}:ro" for path in _SHARED if Path(path).exists()]
    options = ("--pull-never", "--network=host", f"--build-arg=BASE={BASE}", f"--tag={IMAGE}", *shared)
    # Docker's form of an image has a place for the health check; OCI's has none.
    buildah("build", "--format=docker", "--file=deploy/Dockerfile", *options, ".")
    return IMAGE


def _build_base() -> None:
    root = FOLDER / "root"
    shutil.rmtree(root, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    mirror = output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()[0]
    output(program("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", "bookworm", root, mirror)
    # The official image's Python is nobody else's.
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    container = buildah("from", "scratch")
    buildah("copy", "--quiet", container, root, "/")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", container)
    buildah("commit", "--quiet", "--rm", container, BASE)
    shutil.rmtree(root)


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """Give the root of a container of the image."""
    container = buildah("from", "--pull-never", image)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)
