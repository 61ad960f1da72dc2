"""Fuzz every decoder, guided by coverage: `python -m tests.fuzz --seconds 60 [DECODER ...]`.

Each decoder runs in a process of its own, because the fuzzer ends its process. Inputs that lead somewhere new
are kept from run to run; one that breaks the law ends the decoder's run and is written to a file.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import SEEDS


def main() -> int:
    """Fuzz what the command line asks for; return 1 when a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="time for each decoder")
    parser.add_argument("--kept", type=Path, help="folder for inputs worth keeping, and for findings")
    parser.add_argument("decoders", nargs="*", help=f"all when none is given: {', '.join(SEEDS)}")
    asked = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("skipped: the fuzzer atheris is not installed for this Python\n")
        return 0
    kept = asked.kept or Path(tempfile.gettempdir()) / "stream-enforcer-fuzz"
    broken = [name for name in asked.decoders or SEEDS if _run(name, asked.seconds, kept)]
    sys.stdout.write(f"broken: {', '.join(broken)}\n" if broken else "no decoder broke the law\n")
    return 1 if broken else 0


def _run(name: str, seconds: int, kept: Path) -> int:
    sys.stdout.write(f"--- {name}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), str(kept)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
