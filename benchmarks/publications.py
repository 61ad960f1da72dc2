"""How fast records of several publications are read and merged into one snapshot; `make bench-publications`."""

import argparse
import json
import os
import random
import resource
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.ownership import Peak, timed
from benchmarks.service import machine
from stream_enforcer.snapshot.building import build
from stream_enforcer.snapshot.graph import Snapshot

_LEVEL_1: Final = (
    "LEI,Entity.LegalName,Entity.LegalAddress.Country,Entity.HeadquartersAddress.Country,Entity.LegalJurisdiction,"
    "Entity.RegistrationAuthority.RegistrationAuthorityEntityID,Entity.EntityCategory,Entity.EntityStatus,"
    "Registration.LastUpdateDate,Registration.RegistrationStatus"
)
_LEVEL_2: Final = (
    "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,"
    "Relationship.RelationshipStatus,Relationship.Period.1.startDate,Relationship.Period.1.periodType,"
    "Registration.RegistrationStatus"
)


def lei(number: int) -> str:
    """Return a made LEI."""
    return f"{number:018d}00"


def write(folder: Path, records: int) -> list[Path]:
    """Write LEI records, as many relationships between them, and a native file that speaks of half of them."""
    draw = random.Random(1)
    level1, level2, native = (folder / name for name in ("level1.csv", "level2.csv", "native.jsonl"))
    with level1.open("w", encoding="utf-8") as file:
        file.write(f"{_LEVEL_1}\n")
        for number in range(records):
            country = draw.choice(["GB", "US", "CN", "DE"])
            file.write(
                f"{lei(number)},Company {number} Ltd,{country},{country},{country},{number},GENERAL,ACTIVE,"
                "2026-05-01T00:00:00Z,ISSUED\n"
            )
    with level2.open("w", encoding="utf-8") as file:
        file.write(f"{_LEVEL_2}\n")
        for number in range(1, records):
            kind = "IS_ULTIMATELY_CONSOLIDATED_BY" if number % 2 else "IS_DIRECTLY_CONSOLIDATED_BY"
            holder = number // 10 if number % 2 == 0 else number // 100
            file.write(
                f"{lei(number)},{lei(holder)},{kind},ACTIVE,2020-01-01T00:00:00Z,RELATIONSHIP_PERIOD,PUBLISHED\n"
            )
    with native.open("w", encoding="utf-8") as file:
        for number in range(0, records, 2):
            file.write(
                f'{{"kind":"entity","id":"n{number}","name":"Firm {number}","type":"company","country":"GB",'
                f'"identifiers":{{"lei":"{lei(number)}"}}}}\n'
                f'{{"kind":"stake","id":"s{number}","holder":"n{number // 20 * 2}","held":"n{number}","share":60}}\n'
            )
    return [level1, level2, native]


def measure(folder: Path, records: int) -> dict[str, Any]:
    """Build a snapshot of the LEI files alone, and of all."""
    paths = write(folder, records)
    found: dict[str, Any] = {"records": records}
    for name, files in {"gleif": paths[:2], "with_native": paths}.items():
        cpu = time.process_time()
        with Peak() as peak:
            spent, header = timed(partial(build, files, folder / "s", workers=len(os.sched_getaffinity(0))))
        found[name] = {
            "build_s": spent,
            "cpu_s": round(time.process_time() - cpu, 1),
            "peak_mb": peak.most,
            "counts": Snapshot(folder / "s").file.header.counts.model_dump(),
            "identity": header.identity.model_dump(),
        }
    return {**found, "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the files are made; default: a temporary one")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps({"machine": machine(), **measure(Path(folder), options.records)}, indent=2))


if __name__ == "__main__":
    main()
