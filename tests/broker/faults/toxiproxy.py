"""Toxiproxy between the replicas and the brokers: a network that can be slow, break off, or swallow what is sent."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import httpx

from stream_enforcer.demo.replica import HOST, free_port
from stream_enforcer.kafka.child_process import ChildProcess
from stream_enforcer.kafka.distribution import cache_folder

VERSION = "v2.12.0"
MODULE = "github.com/Shopify/toxiproxy/v2/cmd/server"
_INSTALL_SECONDS = 300
_START_SECONDS = 20.0

Stream = Literal["upstream", "downstream"]
"""To the broker, or from it."""


class NoToxiproxy(Exception):
    """Toxiproxy cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """One kind of harm; its attributes are Toxiproxy's."""

    kind: str
    attributes: Mapping[str, int]
    streams: Sequence[Stream] = ("upstream", "downstream")


def installed() -> Path:
    """Return Toxiproxy's program in the user's cache folder; Go builds it there the first time.

    Raises:
        NoToxiproxy: There is no Go, or it could not build it.
    """
    program = cache_folder().parent / f"toxiproxy-{VERSION}" / "server"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise NoToxiproxy("no Go")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as staging:
        _build(go, Path(staging))
        (Path(staging) / "server").replace(program)  # whole or not at all, whoever else builds meanwhile
    return program


def _build(go: str, folder: Path) -> None:
    command = [go, "install", f"{MODULE}@{VERSION}"]
    environment = {**os.environ, "GOBIN": str(folder)}
    try:
        subprocess.run(
            command, env=environment, check=True, capture_output=True, timeout=_INSTALL_SECONDS, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise NoToxiproxy(f"go install took over {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise NoToxiproxy(f"go install failed: {error.stderr.strip().splitlines()[-1:]}") from error


@dataclass(slots=True)
class Toxiproxy:
    """A running Toxiproxy with one proxy per broker, numbered from 1 as the brokers are."""

    process: ChildProcess
    folder: Path
    api: httpx.Client
    proxies: list[str] = field(default_factory=list)

    @classmethod
    def start(cls) -> Self:
        """Start it, without proxies.

        Raises:
            NoToxiproxy: It cannot be had, or does not answer.
        """
        program = installed()
        port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="stream-enforcer-toxiproxy-"))
        command = [str(program), "-host", HOST, "-port", str(port)]
        # Its log goes with the folder; at its own level it would tell of every connection.
        process = ChildProcess(command, folder, folder / "log", {**os.environ, "LOG_LEVEL": "error"})
        proxy = cls(process, folder, httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False))
        deadline = time.monotonic() + _START_SECONDS
        while not proxy._answers():
            if process.exit_code is not None or time.monotonic() > deadline:
                proxy.stop()
                raise NoToxiproxy("it does not answer")
            time.sleep(0.05)
        return proxy

    def _answers(self) -> bool:
        try:
            return self.api.get("/version").is_success
        except httpx.TransportError:
            return False

    def put_between(self, port: int) -> int:
        """Put a proxy before a port; return the proxy's."""
        name = f"broker-{len(self.proxies) + 1}"
        body = {"name": name, "listen": f"{HOST}:0", "upstream": f"{HOST}:{port}", "enabled": True}
        answer = self.api.post("/proxies", json=body).raise_for_status().json()
        self.proxies.append(name)
        return int(answer["listen"].rpartition(":")[2])

    def harm(self, toxic: Toxic, brokers: Sequence[int]) -> None:
        """Do harm to all that goes to and from these brokers, open connections too, until it is healed."""
        for broker in brokers:
            for stream in toxic.streams:
                body = {"type": toxic.kind, "stream": stream, "attributes": dict(toxic.attributes)}
                self.api.post(f"/proxies/{self.proxies[broker - 1]}/toxics", json=body).raise_for_status()

    def heal(self) -> None:
        """End all harm."""
        self.api.post("/reset").raise_for_status()

    def stop(self) -> None:
        """End it."""
        self.api.close()
        self.process.kill()
        shutil.rmtree(self.folder)
