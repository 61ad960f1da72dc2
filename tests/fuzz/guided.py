"""Fuzz one decoder in this process: `python -m tests.fuzz.guided DECODER SECONDS FOLDER`."""

import sys
from pathlib import Path
from random import Random
from typing import Final

import atheris

from tests.fuzz.mutation import spoiled

with atheris.instrument_imports(include=["stream_enforcer"], enable_loader_override=False):
    from tests.fuzz.seeds import SEEDS
    from tests.fuzz.targets import TARGETS

SECONDS_PER_INPUT: Final = 10
MOST_MEGABYTES: Final = 2_048
LONGEST_INPUT: Final = 1 << 16


def fuzz(name: str, seconds: str, kept: Path) -> None:
    """Fuzz a decoder for a time; ends the process, with 0 when no law was broken."""
    corpus = kept / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={kept}/{name}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([name, *options, str(corpus)], TARGETS[name], custom_mutator=_mutated)
    atheris.Fuzz()


def _mutated(data: bytes, most: int, seed: int) -> bytes:
    random = Random(seed)
    # Asked of the module each time: the function that it has before the fuzzer runs refuses.
    changed = atheris.Mutate(data, most) if random.random() < 0.5 else spoiled(data, random)
    return bytes(changed[:most])


if __name__ == "__main__":
    fuzz(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
