"""Who may import whom: `.importlinter` says it, and these tests show that it would find who does not."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import ROOT

PACKAGES = [
    "policies",
    "definitions",
    "queries",
    "options",
    "settings",
    "components",
    "operations",
    "sandbox",
    "bench",
    "tests",
    "emulator",
]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


FORBIDDEN = {
    "config reads options, not definitions": (
        "settings/schema.py",
        "import definitions.document",
        "Who imports definitions",
    ),
    "policies know no options": ("policies/base.py", "import options.auth", "Who imports options"),
    "components know no stack config": (
        "components/_names.py",
        "import settings.schema",
        "Who imports settings and components",
    ),
    "the sandbox runs the program and imports none of it": (
        "sandbox/modes.py",
        "import policies.documents.document",
        "Who imports policies",
    ),
    "the emulator knows nothing of the program": (
        "emulator/src/apim_emulator/model.py",
        "import sandbox.runtime",
        "Who imports sandbox",
    ),
    "nor do the emulator's tests": ("emulator/tests/conftest.py", "import options.auth", "Who imports options"),
    "the program knows nothing of the emulator": (
        "components/_arm.py",
        "import apim_emulator.model",
        "Who imports apim_emulator",
    ),
    "nothing imports what puts it together": (
        "options/auth.py",
        "import deployment",
        "Nothing imports deployment.py, bench or tests",
    ),
    "nothing needs the program's tests": (
        "emulator/bench/documents.py",
        "import tests.deployed",
        "Nothing imports deployment.py, bench or tests",
    ),
    "the gateway knows no Azure": (
        "emulator/src/apim_emulator/gateway/core.py",
        "import apim_emulator.azure.cloud",
        "The emulator is layered",
    ),
    "members know no compiler": (
        "emulator/src/apim_emulator/csharp/types.py",
        "import apim_emulator.csharp.compiler.expressions",
        "Expressions are compiled to members, and members know no compiler",
    ),
    "expressions know nothing of HTTP": (
        "emulator/src/apim_emulator/csharp/types.py",
        "import aiohttp",
        "Expressions know nothing of HTTP",
    ),
    "policies are tested without Pulumi": (
        "emulator/src/apim_emulator/testing/plugin.py",
        "import pulumi",
        "Policies are run and tested without Pulumi",
    ),
    "options need no Pulumi": (
        "options/auth.py",
        "import pulumi",
        "Policies, definitions, queries and options need no Pulumi",
    ),
}
"""File and import, and the contract that it breaks."""


def report(folder: Path) -> str:
    """What lint-imports says of a copy of the packages in a folder."""
    shutil.copy(ROOT / ".importlinter", folder)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.json", "*.xml")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for file, line, _ in FORBIDDEN.values():
        with (folder / file).open("a", encoding="utf-8") as changed:
            changed.write(f"\n{line}\n")
    done = subprocess.run(  # noqa: S603 - of this environment
        [LINT_IMPORTS, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "emulator" / "src"), "COLUMNS": "250"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report(tmp_path_factory.mktemp("checkout"))


@pytest.mark.parametrize(("file", "line", "contract"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_an_import_that_is_not_allowed_is_found(found: str, file: str, line: str, contract: str) -> None:
    importer = file.removeprefix("emulator/src/").removesuffix(".py").replace("/", ".")
    problems = found.partition("Broken contracts")[2]

    assert f"{contract} BROKEN" in found
    assert f"{importer} -> {line.removeprefix('import ')} (l." in problems


def test_of_the_emulator_only_public_names_are_used() -> None:
    """As an outsider would: a module's public names are those in its `__all__`."""
    private = [
        f"{file.relative_to(ROOT)}: {module}.{name}"
        for folder in ("sandbox", "tests", "bench", "scripts", "examples")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for module, name in imported_from_emulator(file)
        if not is_public(module, name)
    ]

    assert private == []


def imported_from_emulator(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "apim_emulator":
            yield from ((node.module or "", alias.name) for alias in node.names)


def is_public(module: str, name: str) -> bool:
    return name in getattr(importlib.import_module(module), "__all__", ())


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        pytest.param("deployment.py", {"components", "options", "settings"}, id="deployment.py"),
        pytest.param("__main__.py", {"components", "deployment", "settings"}, id="__main__.py"),
    ],
)
def test_what_puts_the_program_together_imports_what_it_may(file: str, allowed: set[str]) -> None:
    """Neither is a package, so lint-imports does not look at them."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])

    assert imported & {*PACKAGES, "apim_emulator", "deployment"} <= allowed
