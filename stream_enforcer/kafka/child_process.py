"""A program that runs on its own and ends, at the latest, with the process that started it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

# Linux kills the program once the thread that forked it is gone. The request outlives exec, so a small
# interpreter makes it and then becomes the program: code between fork and exec isn't safe in a threaded parent.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)) != 0:
    sys.exit("prctl(PR_SET_PDEATHSIG) failed")
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class ChildProcess:
    """A running program, in a session of its own so that Ctrl-C in the terminal does not reach it.

    A keeper thread forks the program and waits for it. It lives as long as the program or this process,
    whichever ends first; a thread of the caller could end earlier, and take the program with it.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        output: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the program.

        Args:
            command: The executable's absolute path and its arguments.
            folder: Working folder.
            output: File that gets stdout and stderr, appended.
            environment: Its whole environment; this process's when not given.

        Raises:
            OSError: It cannot be started.
        """
        started: Future[subprocess.Popen[bytes]] = Future()
        arguments = (_tied_to_this_process(command), folder, output, environment, started)
        self._keeper = Thread(target=_keep, args=arguments, name="keeper", daemon=True)
        self._keeper.start()
        self._process = started.result()

    @property
    def pid(self) -> int:
        """Process id of the program."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return None if self._keeper.is_alive() else self._process.returncode

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the program has ended, at most `seconds`; tell whether it has."""
        self._keeper.join(seconds)
        return not self._keeper.is_alive()

    def kill(self) -> None:
        """End the program as a crash would, and wait until it has ended."""
        self._process.kill()
        self.wait()

    def stop(self, seconds: float) -> bool:
        """Ask the program to end (SIGTERM), kill it after `seconds`; tell whether it ended by itself."""
        self._process.terminate()
        if self.wait(seconds):
            return True
        self.kill()
        return False


def _tied_to_this_process(command: Sequence[str]) -> list[str]:
    if sys.platform != "linux":
        return [*command]
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


def _keep(
    command: Sequence[str],
    folder: Path,
    output: Path,
    environment: Mapping[str, str] | None,
    started: Future[subprocess.Popen[bytes]],
) -> None:
    try:
        with output.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        started.set_exception(error)
        return
    started.set_result(process)
    process.wait()
