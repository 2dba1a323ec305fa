"""What is wrong with the policy documents of files and folders."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from apim_emulator.cli.traps import traps
from apim_emulator.errors import EmulatorError
from apim_emulator.folders.named_values import read_named_values, read_text
from apim_emulator.folders.service import FRAGMENT
from apim_emulator.gateway import Problem
from apim_emulator.gateway.failures import RefusedError
from apim_emulator.gateway.loading.document import GLOBAL, Reader
from apim_emulator.gateway.loading.placeholders import Fillings, with_placeholders
from apim_emulator.gateway.loading.plan import RAW, every_problem, max_size
from apim_emulator.gateway.loading.policy import SCOPES, SECTIONS
from apim_emulator.gateway.standalone import API, format_of, standalone
from apim_emulator.model import Backend, Gateway, Operation, Product

LEVELS = ("error", "unsupported", "warning")
"""How much a finding matters, the worst first."""
_LEVELS = {"mistake": "error", "reference": "error", "unsupported": "unsupported", "warning": "warning"}
_ROOT = re.compile(r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<(policies|fragment)[\s/>]", re.DOTALL)
_BACKEND = re.compile(r"""\bbackend-id\s*=\s*(["'])([^"'<>]*)\1""")
_OPERATION = "operation"
_PRODUCT = "product"
_LABELS = {
    "global": GLOBAL, "product": f"product {_PRODUCT}", "api": f"api {API}",
    "operation": f"operation {API}/{_OPERATION}",
}  # fmt: skip
"""Labels of the document by its scope."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LintOptions:
    """What the command line asks for."""

    paths: Sequence[Path]
    named_values: Path | None = None
    fragments: Mapping[str, Path] = field(default_factory=dict)
    fillings: Fillings = field(default_factory=Fillings)
    """Values for placeholders of other tools."""
    scope: str | None = None
    """Scope of the documents. None: what their folder says, else `api`."""
    sku: str | None = None
    """Pricing tier. None: any, so that nothing is refused for the tier's sake."""
    fail_on: str = "error"
    format: str = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is told of a place in a file."""

    file: str
    line: int
    column: int | None
    level: str
    """`error`, `unsupported` or `warning`."""
    policy: str
    """Element that it is about."""
    attribute: str | None
    message: str
    allowed: tuple[str, ...]
    """Names that may stand there, where there is such a list."""

    @property
    def place(self) -> str:
        """File, line and column."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    @property
    def subject(self) -> str:
        """Element and attribute."""
        return self.policy if self.attribute is None else f"{self.policy}, {self.attribute}"


class Linter:
    """Looks through the documents of some paths."""

    def __init__(self, options: LintOptions) -> None:
        """Find and read the files; raises `EmulatorError`."""
        self._options = options
        self.documents: dict[Path, str] = {}
        """Texts of the documents, fragments not among them."""
        self._fragments = dict(options.fragments)
        for path in _files(options.paths):
            text = read_text(path)
            root = _ROOT.match(text)
            if root is not None and root[1] == "fragment":
                self._add_fragment(path)
            elif root is not None or path in options.paths:
                self.documents[path] = options.fillings.fill(text)
        if not self.documents and not self._fragments:
            names = ", ".join(map(str, options.paths))
            raise EmulatorError(f"{names}: holds no policy document; one begins with <policies> or <fragment>")
        self._values = read_named_values(options.named_values)[0] | options.fillings.named_values
        self._texts = {name: options.fillings.fill(read_text(path)) for name, path in self._fragments.items()}
        self.unchecked: set[str] = set()
        """Named values and fragments that are used and not given; what holds one is not checked."""

    @property
    def fragments(self) -> Mapping[str, Path]:
        """Files of fragments by ID."""
        return self._fragments

    def findings(self) -> list[Finding]:
        """List what is found, by file and line."""
        found: dict[Finding, None] = {}
        for path, text in self.documents.items():
            scope = self._options.scope or _scope(path)
            label = _LABELS[scope]
            for problem in self._found(self._problems(text, scope), {label: text}, scope):
                found.update(dict.fromkeys(self._told(problem, path)))
        for name, path in self._fragments.items():
            document = {f"fragment {name}": self._texts[name]}
            for problem in self._found(self._of_fragment(name), document, "fragment"):
                found.update(dict.fromkeys(self._told(problem, path)))
        return sorted(found, key=lambda one: (one.file, one.line, one.column or 0, LEVELS.index(one.level)))

    def _found(self, problems: Sequence[Problem], text: Mapping[str, str], scope: str) -> Iterator[Problem]:
        """Give what is wrong with a document, by label, and what is a warning alone."""
        told, unfilled = with_placeholders(problems, text)
        yield from told
        yield from unfilled
        for label, document in text.items():
            yield from self._traps(document, label, scope)

    def _add_fragment(self, path: Path) -> None:
        """Take a file for a fragment: its ID is the file's name, or the folder's of a file called policy."""
        if path in self._fragments.values():
            return
        name = path.resolve().parent.name if path.stem == "policy" else path.stem.removesuffix(".fragment")
        other = self._fragments.setdefault(name, path)
        if other != path:
            raise EmulatorError(f"{path}: {other} is fragment {name} too; say which is which with --fragment NAME=FILE")

    def _problems(self, text: str, scope: str) -> list[Problem]:
        return every_problem(self._service(text, scope))

    def _of_fragment(self, name: str) -> list[Problem]:
        """List what is wrong with a fragment wherever it is included: in all sections, at all scopes."""
        everywhere: list[Problem] | None = None
        for scope in SCOPES:
            for section in SECTIONS:
                text = f'<policies><{section}><include-fragment fragment-id="{name}"/></{section}></policies>'
                found = [one for one in self._problems(text, scope) if one.document == f"fragment {name}"]
                everywhere = [one for one in everywhere if one in found] if everywhere is not None else found
        return everywhere or []

    def _traps(self, text: str, label: str, scope: str) -> Iterator[Problem]:
        root = "fragment" if scope == "fragment" else "policies"
        reader = Reader(max_size(self._service("", "api")), None)
        try:
            node = reader.read(text, label, root, raw=format_of(text) == RAW)
        except RefusedError:
            return
        yield from traps(replace(node, children=(replace(node, name=root),)) if scope == "fragment" else node, scope)

    def _service(self, text: str, scope: str) -> Gateway:
        """Make a service with a document at a scope, whose backends and operations are whatever it names."""
        texts = self._included(text)
        backends = {found[2] for one in (text, *texts.values()) for found in _BACKEND.finditer(one) if found[2]}
        written = format_of(text)
        at = {name: text if name == scope else None for name in SCOPES}
        operation = Operation(
            name=_OPERATION, method="GET", url_template="/", policy=at["operation"], policy_format=written
        )
        service = standalone(
            at["api"], "https://backend.test", named_values=self._values, fragments=texts,
            backends=tuple(Backend(id=name, url="https://backend.test") for name in sorted(backends)),
            global_policy=at["global"],
            api={"operations": (operation,), "definition": {"paths": {"/": {"get": {}}}}},
            products=(
                Product(id=_PRODUCT, api_ids=frozenset({API}), policy=at["product"], policy_format=written),
            ),
        )  # fmt: skip
        return replace(service, sku=self._options.sku or "")

    def _included(self, text: str) -> dict[str, str]:
        """Texts of the fragments that a text includes, also through others."""
        found: dict[str, str] = {}
        rest = [text]
        while rest:
            for include in FRAGMENT.finditer(rest.pop()):
                name = include[2]
                if name in self._texts and name not in found:
                    found[name] = self._texts[name]
                    rest.append(found[name])
        return found

    def _told(self, problem: Problem, path: Path) -> Iterator[Finding]:
        """Make a finding; none for what cannot be known without a file that is not given."""
        if problem.kind == "reference" and not self._is_known(problem):
            self.unchecked.add(problem.reason.removesuffix(" does not exist"))
            return
        if problem.document.startswith("fragment "):
            path = self._fragments.get(problem.document.removeprefix("fragment "), path)
        yield Finding(
            file=str(path), line=problem.line, column=problem.column, level=_LEVELS[problem.kind],
            policy=problem.policy, attribute=problem.attribute, message=_message(problem), allowed=problem.allowed,
        )  # fmt: skip

    def _is_known(self, problem: Problem) -> bool:
        """Tell whether all that a problem's name may be one of was given."""
        if problem.policy == "include-fragment":
            return bool(self._fragments)
        if problem.reason.startswith("certificate "):
            return False
        return self._options.named_values is not None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """List the files; of folders those that may be policy documents."""
    for path in paths:
        if path.is_dir():
            below = (one.relative_to(path) for one in path.rglob("*.xml"))
            shown = (one for one in below if not any(part.startswith(".") for part in one.parts))
            yield from (path / one for one in sorted(shown))
        else:
            yield path


def _scope(path: Path) -> str:
    """Read the scope off the folders, as API Management's own tools lay them out."""
    folders = path.resolve().parent.parts
    if "operations" in folders:
        return "operation"
    if "products" in folders:
        return "product"
    return "global" if (path.resolve().parent / "apis").is_dir() else "api"


def _message(problem: Problem) -> str:
    """Say what is wrong, and of names that may stand there which one is meant, or which there are."""
    name = problem.attribute or problem.policy
    near = difflib.get_close_matches(name, problem.allowed, 1)
    if near:
        return f"{problem.reason}; did you mean {near[0]}"
    few = problem.allowed if len(problem.allowed) <= 20 else ()
    return f"{problem.reason}; allowed are {', '.join(few)}" if few else problem.reason
