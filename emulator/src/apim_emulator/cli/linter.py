"""What is wrong with the policy documents of files and folders."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from apim_emulator.cli.documents import unused
from apim_emulator.cli.traps import traps
from apim_emulator.errors import EmulatorError
from apim_emulator.folders.layout import is_service
from apim_emulator.folders.named_values import read_named_values, read_text
from apim_emulator.folders.service import FRAGMENT, Documents, read_service
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
_URL = "https://backend.test"
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What documents may refer to."""

    values: Mapping[str, str] = field(repr=False)
    has_values: bool
    """Whether these are all named values that there are."""
    valueless: Collection[str] = ()
    """Named values that exist, and whose value is not known."""
    texts: Mapping[str, str]
    """Fragments by ID."""
    has_fragments: bool
    """Whether these are all fragments that there are."""
    files: Mapping[str, Path]
    """Files of documents and fragments, by the label that problems have."""


class Linter:
    """Looks through the documents of some paths."""

    def __init__(self, options: LintOptions) -> None:
        """Find and read the files; raises `EmulatorError`."""
        self._options = options
        self._services = {} if options.scope else {root: self._read(root) for root in _roots(options.paths)}
        claimed = {path.resolve() for one in self._services.values() for path in one.files.values()}
        self.documents: dict[Path, str] = {}
        """Texts of the documents, fragments not among them."""
        self._fragments = dict(options.fragments)
        for path in _files(options.paths):
            if path.resolve() in claimed:
                continue
            text = read_text(path)
            root = _ROOT.match(text)
            if root is not None and root[1] == "fragment":
                self._add_fragment(path)
            elif root is not None or path in options.paths:
                self.documents[path] = options.fillings.fill(text)
        if not self.documents and not self._fragments and not self._services:
            names = ", ".join(map(str, options.paths))
            raise EmulatorError(f"{names}: holds no policy document; one begins with <policies> or <fragment>")
        self._around = _Around(
            values=read_named_values(options.named_values)[0] | options.fillings.named_values,
            has_values=options.named_values is not None,
            texts={name: options.fillings.fill(read_text(path)) for name, path in self._fragments.items()},
            has_fragments=bool(self._fragments),
            files={f"fragment {name}": path for name, path in self._fragments.items()},
        )
        self.unchecked: set[str] = set()
        """Named values and fragments that are used and not given; what holds one is not checked."""

    @property
    def unused(self) -> list[str]:
        """What was given for placeholders that no document has."""
        return unused(self._options.fillings)

    @property
    def files(self) -> list[Path]:
        """All documents, the fragments last."""
        own = [path for one in self._services.values() for label, path in one.files.items() if label in one.texts]
        return [*self.documents, *own, *self._fragments.values()]

    def findings(self) -> list[Finding]:
        """List what is found, by file and line."""
        found: dict[Finding, None] = {}
        for path, text in self.documents.items():
            scope = self._options.scope or _scope(path)
            label = _LABELS[scope]
            around = self._around_of(path)
            around = replace(around, files={**around.files, label: path})
            problems = self._problems(text, scope, around)
            found |= dict.fromkeys(self._found(problems, {label: text}, {label: scope}, around))
        found |= dict.fromkeys(self._of_fragments(self._fragments, self._around))
        for service in self._services.values():
            found |= dict.fromkeys(self._of_service(service))
        return sorted(found, key=lambda one: (one.file, one.line, one.column or 0, LEVELS.index(one.level)))

    def _read(self, root: Path) -> Documents:
        options = self._options
        return read_service(
            root, _URL, keys=lambda _: "", named_values=options.named_values, fragments=options.fragments,
            fillings=options.fillings, sku=options.sku or "",
        )  # fmt: skip

    def _around_service(self, service: Documents) -> _Around:
        gateway = service.gateway
        return _Around(
            values=gateway.named_values,
            has_values=self._options.named_values is not None or bool(gateway.named_values or service.valueless),
            valueless=service.valueless,
            texts=gateway.fragments,
            has_fragments=True,
            files=service.files,
        )

    def _around_of(self, path: Path) -> _Around:
        """Return what a document may refer to that is no part of a service, such as an old revision's."""
        own = (self._around_service(one) for root, one in self._services.items() if root in path.parents)
        return next(own, self._around)

    def _of_service(self, service: Documents) -> Iterator[Finding]:
        """List what is wrong with a folder's service as a whole."""
        gateway, around = service.gateway, self._around_service(service)
        for mistake in service.mistakes:
            subject, _, message = mistake.text.rpartition(": ")
            line, column = mistake.place or (1, None)
            yield Finding(
                file=str(mistake.file), line=line, column=column, level="error", policy=subject or "file",
                attribute=None, message=message, allowed=(),
            )  # fmt: skip
        if not service.has_backends:
            gateway = replace(gateway, backends=_backends(service.texts.values()))
        scopes = {label: label.partition(" ")[0] for label in service.texts}
        yield from self._found(every_problem(gateway), service.texts, scopes, around)
        yield from self._of_fragments(gateway.fragments, around)

    def _of_fragments(self, names: Iterable[str], around: _Around) -> Iterator[Finding]:
        for name in names:
            label = f"fragment {name}"
            yield from self._found(
                self._of_fragment(name, around), {label: around.texts[name]}, {label: "fragment"}, around
            )

    def _found(
        self, problems: Sequence[Problem], texts: Mapping[str, str], scopes: Mapping[str, str], around: _Around
    ) -> Iterator[Finding]:
        """Make findings of what is wrong with documents, by label, and of what is a warning alone."""
        told, unfilled = with_placeholders(problems, texts)
        traps = (one for label, text in texts.items() for one in self._traps(text, label, scopes[label]))
        for problem in (*told, *unfilled, *traps):
            yield from self._told(problem, around)

    def _add_fragment(self, path: Path) -> None:
        """Take a file for a fragment: its ID is the file's name, or the folder's of a file called policy."""
        if path in self._fragments.values():
            return
        name = path.resolve().parent.name if path.stem == "policy" else path.stem.removesuffix(".fragment")
        other = self._fragments.setdefault(name, path)
        if other != path:
            raise EmulatorError(f"{path}: {other} is fragment {name} too; say which is which with --fragment NAME=FILE")

    def _problems(self, text: str, scope: str, around: _Around) -> list[Problem]:
        return every_problem(self._service(text, scope, around))

    def _of_fragment(self, name: str, around: _Around) -> list[Problem]:
        """List what is wrong with a fragment wherever it is included: in all sections, at all scopes."""
        everywhere: list[Problem] | None = None
        for scope in SCOPES:
            for section in SECTIONS:
                text = f'<policies><{section}><include-fragment fragment-id="{name}"/></{section}></policies>'
                found = [one for one in self._problems(text, scope, around) if one.document == f"fragment {name}"]
                everywhere = [one for one in everywhere if one in found] if everywhere is not None else found
        return everywhere or []

    def _traps(self, text: str, label: str, scope: str) -> Iterator[Problem]:
        root = "fragment" if scope == "fragment" else "policies"
        reader = Reader(max_size(replace(standalone(None, _URL), sku=self._options.sku or "")), None)
        try:
            node = reader.read(text, label, root, raw=format_of(text) == RAW)
        except RefusedError:
            return
        yield from traps(replace(node, children=(replace(node, name=root),)) if scope == "fragment" else node, scope)

    def _service(self, text: str, scope: str, around: _Around) -> Gateway:
        """Make a service with a document at a scope, whose backends and operations are whatever it names."""
        texts = _included(text, around.texts)
        written = format_of(text)
        at = {name: text if name == scope else None for name in SCOPES}
        operation = Operation(
            name=_OPERATION, method="GET", url_template="/", policy=at["operation"], policy_format=written
        )
        service = standalone(
            at["api"], _URL, named_values=around.values, fragments=texts,
            backends=_backends((text, *texts.values())), global_policy=at["global"],
            api={"operations": (operation,), "definition": {"paths": {"/": {"get": {}}}}},
            products=(
                Product(id=_PRODUCT, api_ids=frozenset({API}), policy=at["product"], policy_format=written),
            ),
        )  # fmt: skip
        return replace(service, sku=self._options.sku or "")

    def _told(self, problem: Problem, around: _Around) -> Iterator[Finding]:
        """Make a finding; none for what cannot be known without a file that is not given."""
        if problem.kind == "reference" and not _is_known(problem, around):
            self.unchecked.add(problem.reason.removesuffix(" does not exist"))
            return
        if problem.document not in around.files:
            return
        yield Finding(
            file=str(around.files[problem.document]), line=problem.line, column=problem.column,
            level=_LEVELS[problem.kind], policy=problem.policy, attribute=problem.attribute,
            message=_message(problem), allowed=problem.allowed,
        )  # fmt: skip


def _is_known(problem: Problem, around: _Around) -> bool:
    """Tell whether all that a problem's name may be one of was given."""
    if problem.reason.startswith("certificate "):
        return False
    if problem.policy == "include-fragment":
        return around.has_fragments
    named = problem.reason.removeprefix("named value ").removesuffix(" does not exist")
    return around.has_values and named not in around.valueless


def _included(text: str, fragments: Mapping[str, str]) -> dict[str, str]:
    """Texts of the fragments that a text includes, also through others."""
    found: dict[str, str] = {}
    rest = [text]
    while rest:
        for include in FRAGMENT.finditer(rest.pop()):
            name = include[2]
            if name in fragments and name not in found:
                found[name] = fragments[name]
                rest.append(found[name])
    return found


def _backends(texts: Iterable[str]) -> tuple[Backend, ...]:
    """Make up the backends that texts name."""
    names = {found[2] for one in texts for found in _BACKEND.finditer(one) if found[2]}
    return tuple(Backend(id=name, url=_URL) for name in sorted(names))


def _roots(paths: Sequence[Path]) -> Iterator[Path]:
    """List the folders that hold a service, in these folders or below them."""
    for path in paths:
        if path.is_dir():
            below = (one.parent for one in sorted(path.rglob("apis")) if not _is_hidden(one.relative_to(path)))
            found = [path] if is_service(path) else [one for one in below if is_service(one)]
            yield from (one for one in found if not any(other in one.parents for other in found))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """List the files; of folders those that may be policy documents."""
    for path in paths:
        if path.is_dir():
            below = (one.relative_to(path) for one in path.rglob("*.xml"))
            yield from (path / one for one in sorted(below) if not _is_hidden(one))
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
