"""The layer law: the core is pure, and one package alone knows the Kafka client."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stream_enforcer

PACKAGE = Path(stream_enforcer.__file__).parent
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))
IMPURE = {
    *("asyncio", "os", "time", "random", "logging", "socket", "pathlib", "subprocess", "io", "threading"),
    *(
        "secrets",
        "uuid",
        "multiprocessing",
        "tempfile",
        "shutil",
        "signal",
        "urllib",
        "http",
        "ssl",
        "select",
    ),
}
ALLOWED = frozenset({"pydantic", "pydantic_core", "orjson", "cel_expr_python", "rigour"})
CLOCKS = frozenset({"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime"})
EFFECTS = frozenset({"open", "print", "input", "exec", "eval", "__import__", "compile"})
MAY_USE_KAFKA = ("kafka", "demo")
MAY_USE_NUMPY = ("snapshot",)
USES_OPENTELEMETRY = "observe/tracing.py"


def label(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> Iterator[str]:
    """Give every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            yield node.module


def may_import(module: str) -> bool:
    top = module.split(".", maxsplit=1)[0]
    if top == "stream_enforcer":
        return module.startswith("stream_enforcer.domain")
    return top in ALLOWED or (top in sys.stdlib_module_names and top not in IMPURE)


def calls(path: Path) -> Iterator[str]:
    """Give the last name of every function that a file calls, and `.` before it for a method."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}"


def test_the_walk_finds_the_core() -> None:
    found = {label(path) for path in DOMAIN}
    assert {"domain/engine.py", "domain/policy.py", "domain/ownership/graph.py"} <= found


@pytest.mark.parametrize("path", DOMAIN, ids=label)
def test_the_core_imports_only_what_is_pure(path: Path) -> None:
    assert [module for module in imports(path) if not may_import(module)] == []


@pytest.mark.parametrize("path", DOMAIN, ids=label)
def test_no_function_of_the_core_reads_a_clock_or_opens_anything(path: Path) -> None:
    forbidden = EFFECTS | {f".{name}" for name in CLOCKS}
    assert [name for name in calls(path) if name in forbidden] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=label)
def test_only_the_kafka_package_and_the_demo_import_the_client(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in MAY_USE_KAFKA:
        assert [module for module in imports(path) if module.split(".")[0] == "aiokafka"] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=label)
def test_only_the_snapshot_package_imports_numpy(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in MAY_USE_NUMPY:
        assert [module for module in imports(path) if module.split(".")[0] == "numpy"] == []


def test_one_file_alone_imports_opentelemetry_and_nobody_imports_that_before_it_is_wanted() -> None:
    modules = {path: list(imports(path)) for path in PACKAGE.rglob("*.py")}
    importers = [
        label(path) for path, names in modules.items() if any("opentelemetry" in name for name in names)
    ]
    assert importers == [USES_OPENTELEMETRY]
    at_the_top = [
        node.module
        for path in modules
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
    ]
    assert "stream_enforcer.observe.tracing" not in at_the_top


@pytest.mark.parametrize(
    "module", ["os", "os.path", "time", "aiokafka", "yaml", "stream_enforcer.reference.geo"]
)
def test_the_law_forbids_what_it_is_for(module: str) -> None:
    assert not may_import(module)
