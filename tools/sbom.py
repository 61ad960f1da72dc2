"""Writes the bill of materials of what is locked, CycloneDX in JSON: `python -m tools.sbom FILE`.

The generator reads `requirements.lock` and knows every package with its hashes. It also writes where packages could be
downloaded from; what is fetched, and from where, is a matter of who installs, so these addresses become package URLs.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements.lock"
PYPROJECT: Final = ROOT / "pyproject.toml"


def bill_of_materials() -> bytes:
    """Return the bill: the same bytes for the same lock and the same generator."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
    done = subprocess.run(
        [*command, "--pyproject", str(PYPROJECT), str(LOCK)], capture_output=True, check=True, timeout=120
    )
    bill = plain(json.loads(done.stdout), _direct_dependencies())
    return (json.dumps(bill, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def plain(bill: dict[str, Any], direct: set[str]) -> dict[str, Any]:
    """Name packages by their package URLs alone, and say which of them the program itself asks for.

    Args:
        bill: What the generator made.
        direct: The names of the packages that the program asks for.

    Returns:
        The bill without addresses, with every hash that it had.
    """
    program = {
        key: value for key, value in bill["metadata"]["component"].items() if key != "externalReferences"
    }
    components = sorted(map(_component, bill["components"]), key=lambda one: one["bom-ref"])
    needed = [one["bom-ref"] for one in components if canonicalize_name(one["name"]) in direct]
    return {
        **{key: bill[key] for key in ("bomFormat", "specVersion", "version")},
        "metadata": {"component": program},
        "components": components,
        "dependencies": [
            {"ref": program["bom-ref"], "dependsOn": needed},
            *({"ref": one["bom-ref"]} for one in components),
        ],
    }


def _component(found: dict[str, Any]) -> dict[str, Any]:
    purl = found["purl"]
    hashes = [one for reference in found.get("externalReferences", ()) for one in reference.get("hashes", ())]
    files = [{"type": "distribution", "url": purl, "hashes": hashes}] if hashes else []
    kept = {key: found[key] for key in ("name", "purl", "type", "version")}
    return {**kept, "bom-ref": purl, "externalReferences": files}


def _direct_dependencies() -> set[str]:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return {canonicalize_name(Requirement(line).name) for line in (*project["dependencies"], *extras)}


def main() -> None:
    """Write the bill to the file that is named."""
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bill_of_materials())
    print(file)


if __name__ == "__main__":
    main()
