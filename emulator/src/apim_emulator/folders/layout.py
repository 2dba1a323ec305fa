"""Which file of a folder is what.

The layout is that of APIOps, as its extractor writes it (Azure/apiops, `SampleArtifacts`); earlier releases of it list
a product's APIs in one file. What has a folder there for its policy alone may be a file NAME.xml too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

POLICY = "policy.xml"
_GLOBAL = "global.xml"
_FRAGMENTS = ("policy fragments", "fragments", "policyFragments", "policy-fragments")
_NAMED_VALUES = ("named values", "namedValues", "named-values")
_VERSION_SETS = ("version sets", "versionSets", "version-sets", "apiVersionSets")
_FOLDERS = ("apis", "products", "backends", "subscriptions", *_FRAGMENTS, *_NAMED_VALUES, *_VERSION_SETS)
_VALUES_FILES = ("named-values.yaml", "named-values.yml", "named-values.json")
_SPECIFICATIONS = ("yaml", "yml", "json", "graphql", "wadl", "wsdl")
_READ = frozenset({".xml", ".yaml", ".yml", ".json", ".graphql", ".wadl", ".wsdl"})
"""Ends of the names of files that are read."""
FORMS = (
    "policy.xml, global.xml, apis/NAME/policy.xml, apis/NAME/operations/NAME/policy.xml, products/NAME/policy.xml, "
    "policy fragments/NAME/policy.xml"
)
"""What a folder may hold, for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is said of one resource."""

    name: str
    policy: Path | None = None
    information: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiEntry(Entry):
    """What is said of an API."""

    specification: Path | None = None
    operations: Mapping[str, Path] = field(default_factory=dict)
    """Policies by operation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductEntry(Entry):
    """What is said of a product."""

    apis: frozenset[str] = frozenset()
    """Those that have a folder in the product's."""
    list_of_apis: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The files of a service."""

    root: Path
    policy: Path | None
    """Policy of the global scope."""
    apis: tuple[ApiEntry, ...]
    products: tuple[ProductEntry, ...]
    fragments: tuple[Entry, ...]
    backends: tuple[Entry, ...]
    named_values: tuple[Entry, ...]
    subscriptions: tuple[Entry, ...]
    version_sets: tuple[Entry, ...]
    values_file: Path | None
    """Named values in one file."""
    has_backends: bool
    """Whether there is a folder of backends, which then are all that there are."""
    revisions: tuple[str, ...]
    """Revisions of APIs that are not current, which are not served."""

    @property
    def policies(self) -> Iterator[Path]:
        """Every policy document and fragment."""
        yield from filter(None, (self.policy, *(one.policy for one in (*self.products, *self.fragments))))
        for api in self.apis:
            yield from filter(None, (api.policy, *api.operations.values()))


def is_service(folder: Path) -> bool:
    """Tell whether a folder holds a service: APIs with a folder of their own, or a policy for all."""
    return (folder / "apis").is_dir() or (folder / _GLOBAL).is_file()


def files(folder: Path) -> list[Path]:
    """List all files of a folder that may say something of its service, but hidden ones."""
    below = [folder / name for name in _FOLDERS]
    found = [*folder.glob("*"), *(one for own in below for one in own.rglob("*"))]
    read = (one.relative_to(folder) for one in found if one.suffix.lower() in _READ)
    return [folder / one for one in sorted(read) if not any(part.startswith(".") for part in one.parts)]


def layout(root: Path) -> Layout:
    """Read which files there are."""
    apis, revisions = [], []
    for entry in _entries(root / "apis", "apiInformation.json"):
        if ";rev=" in entry.name:
            revisions.append(entry.name)
            continue
        own = root / "apis" / entry.name
        operations = _entries(own / "operations", "operationInformation.json")
        apis.append(
            ApiEntry(
                name=entry.name, policy=entry.policy, information=entry.information,
                specification=_first(own, [f"specification.{end}" for end in _SPECIFICATIONS]),
                operations={one.name: one.policy for one in operations if one.policy is not None},
            )
        )  # fmt: skip
    policy = _first(root, [_GLOBAL])
    own_policy = _first(root, [POLICY])
    if policy is None and (root / "apis").is_dir():
        policy, own_policy = own_policy, None
    if not apis:
        apis = [ApiEntry(name="api", policy=own_policy)]
    return Layout(
        root=root,
        policy=policy,
        apis=tuple(apis),
        products=tuple(_product(root, one) for one in _entries(root / "products", "productInformation.json")),
        fragments=tuple(_all(root, _FRAGMENTS, "policyFragmentInformation.json")),
        backends=tuple(_all(root, ["backends"], "backendInformation.json")),
        named_values=tuple(_all(root, _NAMED_VALUES, "namedValueInformation.json")),
        subscriptions=tuple(_all(root, ["subscriptions"], "subscriptionInformation.json")),
        version_sets=tuple(_all(root, _VERSION_SETS, "versionSetInformation.json", "apiVersionSetInformation.json")),
        values_file=_first(root, _VALUES_FILES),
        has_backends=(root / "backends").is_dir(),
        revisions=tuple(revisions),
    )


def _product(root: Path, entry: Entry) -> ProductEntry:
    own = root / "products" / entry.name
    return ProductEntry(
        name=entry.name, policy=entry.policy, information=entry.information,
        apis=frozenset(one.name for one in _folders(own / "apis")), list_of_apis=_first(own, ["apis.json"]),
    )  # fmt: skip


def _all(root: Path, names: list[str] | tuple[str, ...], *information: str) -> Iterator[Entry]:
    for name in names:
        yield from _entries(root / name, *information)


def _entries(folder: Path, *information: str) -> list[Entry]:
    """List what has a folder of its own, or a file NAME.xml."""
    found = {
        one.name: Entry(name=one.name, policy=_first(one, [POLICY]), information=_first(one, information))
        for one in _folders(folder)
    }
    for one in sorted(folder.glob("*.xml")) if folder.is_dir() else ():
        if not one.is_file():
            continue
        name = one.stem
        found[name] = Entry(name=name, policy=one, information=found[name].information if name in found else None)
    return [found[name] for name in sorted(found)]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _first(folder: Path, names: list[str] | tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
