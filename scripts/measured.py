"""Measures how much of a product its tests run, over all workers of pytest-xdist: `pytest -p scripts.measured`.

Slipcover marks the lines and branches of a module when it is imported, and takes out the marks that were reached
(docs/decisions/0028-coverage-by-marks.md). `[tool.slipcover]`, in the pyproject.toml that pytest reads, says what
belongs to the product and how much of it has to be reached, in percent. Other processes are not measured.
"""

import io
import json
import sys
from collections.abc import Generator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slipcover import FileMatcher, Slipcover, merge_coverage, print_coverage
from slipcover.config import read_config
from slipcover.importer import SlipcoverLoader

FOUND = "measured"
"""What a worker hands over, in JSON."""


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Begin before pytest loads the plugins that are installed, one of which is the emulator's."""
    config: Any = pluginmanager.get_plugin("pytestconfig")
    pluginmanager.register(Measurement(Path(config.inipath)))


class Measurement:
    """What the tests of this process reach, or, where workers run them, what those hand over."""

    def __init__(self, pyproject: Path) -> None:
        settings = read_config(pyproject)
        sources = [pyproject.parent / name for name in settings["source"]]
        self.floor: float = settings["fail-under"]
        self.product = FileMatcher(sources)
        self.slipcover = Slipcover(branch=True, source=[source for source in sources if source.is_dir()])
        self.of_workers: list[dict[str, Any]] = []
        self.total: dict[str, Any] | None = None
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Mark a module of the product, before pytest finds it, which rewrites the modules of plugins."""
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None or spec.origin is None or not self.product.matches(spec.origin):
            return None
        spec.loader = SlipcoverLoader(self.slipcover, spec.loader, spec.origin)
        return spec

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what this worker found."""
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[FOUND] = json.dumps(self.slipcover.get_coverage())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker found; one that was killed has found nothing."""
        if FOUND in getattr(node, "workeroutput", {}):
            self.of_workers.append(json.loads(node.workeroutput[FOUND]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fail the run if too little was reached."""
        ended = yield
        if not hasattr(session.config, "workeroutput"):
            self.total, *others = self.of_workers or [self.slipcover.get_coverage()]
            for other in others:
                merge_coverage(self.total, other)
            session.testsfailed += self.reached < self.floor
        return ended

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List what was not reached, unless the run was broken off."""
        if self.total is None:
            return
        table = io.StringIO()
        print_coverage(self.total, outfile=table, skip_covered=True)
        terminalreporter.section("coverage")
        terminalreporter.write_line(table.getvalue())
        told = f"{self.reached:.2f} % of lines and branches reached, {self.floor} % required"
        terminalreporter.write_line(told, red=self.reached < self.floor)

    @property
    def reached(self) -> float:
        """Percentage of the lines and branches that were reached."""
        return float(self.total["summary"]["percent_covered"]) if self.total else 0.0
