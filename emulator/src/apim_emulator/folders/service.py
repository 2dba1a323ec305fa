"""A folder as one service: what its files say, and every mistake in them."""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from apim_emulator.errors import EmulatorError
from apim_emulator.folders.information import (
    ApiProperties,
    BackendProperties,
    Mistake,
    NamedValueProperties,
    ProductProperties,
    Properties,
    SubscriptionProperties,
    VersionSetProperties,
    properties,
    read_json_or_yaml,
)
from apim_emulator.folders.layout import FORMS, ApiEntry, Entry, Layout, ProductEntry, files, layout
from apim_emulator.folders.named_values import read_named_values, read_text
from apim_emulator.gateway.backends.breaker_rule import RuleError
from apim_emulator.gateway.backends.properties import backend_of
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading.document import GLOBAL, NAMED_VALUE
from apim_emulator.gateway.loading.openapi import operations
from apim_emulator.gateway.loading.placeholders import Fillings, place, without_comments
from apim_emulator.gateway.routing import Operations
from apim_emulator.gateway.standalone import IDENTITIES, OPERATIONS, format_of
from apim_emulator.model import Api, Backend, Gateway, Operation, Product, Subscription

FRAGMENT = re.compile(r"""<include-fragment\s[^>]*?\bfragment-id\s*=\s*(["'])([^"'<>]*)\1""")
"""Where a text includes a fragment; its second group is the ID."""
_PLACE = re.compile(r":(\d+):(\d+): ")
_SEGMENT = "segment"
_FORWARDED = frozenset({"http", "soap"})
"""Types of APIs whose calls are requests that are forwarded."""
P = TypeVar("P", bound=Properties)
Keys = Callable[[str], str]
"""Gives a subscription's key by its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Documents:
    """What files hold: a service, and where each of its documents is."""

    gateway: Gateway
    files: Mapping[str, Path]
    """By the label that problems have, such as `api openai`."""
    texts: Mapping[str, str]
    """By label, with placeholders filled."""
    valueless: Mapping[str, Path] = field(default_factory=dict)
    """Named values whose file has no value, since they are secret, by display name."""
    has_backends: bool = False
    """Whether the files name all backends that there are."""
    mistakes: tuple[Mistake, ...] = ()
    """What is wrong in files that are no policy documents."""
    notes: tuple[str, ...] = ()
    """What is left out, for people."""

    def missing(self) -> Iterator[tuple[str, str, str]]:
        """Give each named value and each fragment that documents use and no file has: its place, kind and name."""
        seen = set()
        for label, text in self.texts.items():
            bare = without_comments(text)
            values = [("named value", one[1], one.start()) for one in NAMED_VALUE.finditer(bare)]
            names = [("fragment", one[2], one.start()) for one in FRAGMENT.finditer(bare)]
            fragments = [one for one in names if not NAMED_VALUE.search(one[1])]
            for kind, name, offset in (*values, *fragments):
                known = self.gateway.named_values if kind == "named value" else self.gateway.fragments
                if name not in known and (kind, name) not in seen:
                    seen.add((kind, name))
                    yield ":".join(map(str, (self.files[label], *place(bare, offset)))), kind, name

    def only(self, apis: frozenset[str]) -> "Documents":
        """Leave out all other APIs, with their documents."""
        kept = {f"api {name}" for name in apis}
        labels = [
            label for label in self.files
            if label in kept or not label.startswith(("api ", "operation "))
            or f"api {label.removeprefix('operation ').partition('/')[0]}" in kept
        ]  # fmt: skip
        return replace(
            self,
            gateway=replace(self.gateway, apis=tuple(one for one in self.gateway.apis if one.id in apis)),
            files={label: self.files[label] for label in labels},
            texts={label: text for label, text in self.texts.items() if label in labels},
        )


def state(paths: list[Path]) -> Hashable:
    """Return what differs once any of the files has changed, come or gone."""
    return tuple((path, _stamp(path)) for path in paths)


def _stamp(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def folder_files(root: Path) -> list[Path]:
    """List the files of a service's folder."""
    return files(root)


def read_service(
    root: Path,
    url: str,
    *,
    keys: Keys,
    named_values: Path | None = None,
    fragments: Mapping[str, Path] | None = None,
    fillings: Fillings | None = None,
    sku: str = "",
    keyed: bool = False,
) -> Documents:
    """Read a folder; mistakes are in what is returned, but raises `EmulatorError` where there is no policy at all.

    `url` is where APIs without one of their own forward to. With `keyed`, APIs of which nothing else is said need keys.
    """
    found = layout(root)
    if not any(found.policies):
        raise EmulatorError(f"{root}: holds no policy document; one is at {FORMS}")
    return _Reading(found, url, keys, fillings or Fillings(), keyed).documents(named_values, fragments or {}, sku)


class _Reading:
    """A folder while it is read."""

    def __init__(self, found: Layout, url: str, keys: Keys, fillings: Fillings, keyed: bool) -> None:
        self._layout = found
        self._url = url
        self._keys = keys
        self._fillings = fillings
        self._keyed = keyed
        self._mistakes: list[Mistake] = []
        self._notes: list[str] = []
        self._files: dict[str, Path] = {}
        self._texts: dict[str, str] = {}

    def documents(self, values_file: Path | None, fragments: Mapping[str, Path], sku: str) -> Documents:
        """Read everything."""
        values, secrets, valueless = self._named_values(values_file)
        paths = {one.name: one.policy for one in self._layout.fragments if one.policy is not None} | dict(fragments)
        texts = {name: self._document(f"fragment {name}", path) for name, path in paths.items()}
        products = tuple(self._product(one) for one in self._layout.products)
        apis = self._apis(products)
        for name in self._layout.revisions:
            self._notes.append(f"apis/{name} is not served: it is a revision that is not current")
        backends = tuple(filter(None, (self._backend(one) for one in self._layout.backends)))
        gateway = Gateway(
            name="emulator",
            sku=sku,
            apis=apis,
            products=products,
            subscriptions=tuple(filter(None, (self._subscription(one) for one in self._layout.subscriptions))),
            backends=backends,
            identities=IDENTITIES,
            named_values=values | self._fillings.named_values,
            secret_names=secrets | self._fillings.named_values.keys(),
            fragments=texts,
            raw_fragments=frozenset(name for name, text in texts.items() if format_of(text) == "rawxml"),
            **self._policy(GLOBAL, self._layout.policy),
        )
        return Documents(
            gateway=gateway, files=self._files, texts=self._texts, valueless=valueless,
            has_backends=self._layout.has_backends, mistakes=tuple(self._mistakes), notes=tuple(self._notes),
        )  # fmt: skip

    def _mistake(self, path: Path, text: str) -> None:
        self._mistakes.append(Mistake(path, text))

    def _content(self, path: Path) -> Any:
        """Read a file with its placeholders filled; None where that is not possible."""
        try:
            return self._filled(read_json_or_yaml(path))
        except EmulatorError as error:
            self._mistakes.append(_as_mistake(path, error))
            return None

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return list(map(self._filled, value))
        return self._fillings.value(value) if isinstance(value, str) else value

    def _properties(self, kind: type[P], path: Path | None) -> P | None:
        content = None if path is None else self._content(path)
        return None if path is None or content is None else properties(kind, content, path, self._mistakes)

    def _document(self, label: str, path: Path) -> str:
        text = ""
        try:
            text = self._fillings.fill(read_text(path))
        except EmulatorError as error:
            self._mistakes.append(_as_mistake(path, error))
        self._files[label], self._texts[label] = path, text
        return text

    def _policy(self, label: str, path: Path | None) -> dict[str, Any]:
        """Return text and format of a scope's document, nothing where it has none."""
        if path is None:
            return {}
        text = self._document(label, path)
        return {"policy": text, "policy_format": format_of(text)}

    def _named_values(self, given: Path | None) -> tuple[dict[str, str], frozenset[str], dict[str, Path]]:
        values: dict[str, str] = {}
        secrets: set[str] = set()
        valueless: dict[str, Path] = {}
        for entry in self._layout.named_values:
            own = self._properties(NamedValueProperties, entry.information)
            if own is None or entry.information is None:
                continue
            name = own.display_name or entry.name
            if own.secret or own.key_vault is not None:
                secrets.add(name)
            if own.value is None:
                valueless[name] = entry.information
            else:
                values[name] = own.value
        for path in (self._layout.values_file, given):
            more, hidden = read_named_values(path)
            values |= more
            secrets = (secrets - more.keys()) | hidden
        return values, frozenset(secrets), {name: path for name, path in valueless.items() if name not in values}

    def _product(self, entry: ProductEntry) -> Product:
        own = self._properties(ProductProperties, entry.information)
        apis = set(entry.apis)
        if entry.list_of_apis is not None:
            listed = self._content(entry.list_of_apis)
            if isinstance(listed, list) and all(isinstance(one, dict) and "name" in one for one in listed):
                apis |= {str(one["name"]) for one in listed}
            elif listed is not None:
                self._mistake(entry.list_of_apis, 'must be a list of objects with a name, as [{"name": "echo-api"}]')
        names = [one.name for one in self._layout.apis]
        for name in sorted(apis):
            if name.partition(";")[0] not in names:
                own_folder = self._layout.root / "products" / entry.name / "apis" / name
                where = own_folder if name in entry.apis else entry.list_of_apis or own_folder
                self._mistake(where, f"API {name} is none of the folder apis; there are {', '.join(names)}")
        if entry.information is None and not apis:
            apis = set(names)
        return Product(
            id=entry.name,
            api_ids=frozenset(name.partition(";")[0] for name in apis),
            subscription_required=own is None or own.subscription_required,
            published=own is None or own.state.lower() == "published",
            **self._policy(f"product {entry.name}", entry.policy),
        )

    def _apis(self, products: tuple[Product, ...]) -> tuple[Api, ...]:
        schemes = {}
        for entry in self._layout.version_sets:
            own = self._properties(VersionSetProperties, entry.information)
            if own is not None:
                schemes[entry.name] = own.versioning_scheme
        found: dict[str, Api] = {}
        for entry in self._layout.apis:
            needed = any(one.subscription_required and entry.name in one.api_ids for one in products)
            api, is_routed = self._api(entry, schemes, needs_key=needed or self._keyed)
            other = found.get(api.path)
            if other is None:
                found[api.path] = api
            elif not is_routed:
                self._notes.append(f"api {api.id} is not served: {other.id} has its path, and versions by header or "
                                   "query are not told apart")  # fmt: skip
            else:
                where = entry.information or self._layout.root / "apis" / entry.name
                self._mistake(where, f"path /{api.path} already belongs to api {other.id}; give one of them another")
        return tuple(found.values())

    def _api(self, entry: ApiEntry, schemes: Mapping[str, str], *, needs_key: bool) -> tuple[Api, bool]:
        """Read an API; also tells whether its path alone leads to it."""
        own = self._properties(ApiProperties, entry.information)
        if own is None:
            path = "" if len(self._layout.apis) == 1 else entry.name
            own = ApiProperties(path=path, subscription_required=needs_key)
        path, is_routed = own.path.strip("/"), True
        if own.api_version and own.api_version_set_id:
            scheme = schemes.get(own.api_version_set_id.rsplit("/", 1)[-1], _SEGMENT)
            is_routed = scheme.lower() == _SEGMENT
            path = f"{path}/{own.api_version}".strip("/") if is_routed else path
        if own.type is not None and own.type.lower() not in _FORWARDED:
            self._notes.append(f"api {entry.name} is of type {own.type}: its calls are forwarded like any other")
        defined, definition = self._operations(entry)
        names = own.subscription_key_parameter_names
        api = Api(
            id=entry.name,
            path=path,
            operations=self._with_policies(entry, defined),
            subscription_required=own.subscription_required,
            service_url=own.service_url or self._url,
            definition=definition,
            **self._policy(f"api {entry.name}", entry.policy),
        )
        if names is not None:
            api = replace(api, key_header=names.header or api.key_header, key_query=names.query or api.key_query)
        if not is_header_name(api.key_header) and entry.information is not None:
            self._mistake(
                entry.information, "properties.subscriptionKeyParameterNames.header: must be the name of a header"
            )
        return api, is_routed

    def _operations(self, entry: ApiEntry) -> tuple[tuple[Operation, ...], Mapping[str, Any] | None]:
        """Read the operations of an API's specification; without one that says them, there is one for each method."""
        path = entry.specification
        if path is None or path.suffix.lower() not in {".json", ".yaml", ".yml"}:
            return OPERATIONS, None
        document = self._content(path)
        if document is None:
            return OPERATIONS, None
        try:
            if not isinstance(document, dict) or not {"openapi", "swagger"} & document.keys():
                raise ValueError("is no OpenAPI document")
            if document.get("paths") == {}:
                self._notes.append(f"api {entry.name} has no operations: each call of it is answered 404")
                return (), document
            found = operations(document)
            Operations(found)
        except ValueError as error:
            self._mistake(path, str(error))
            return OPERATIONS, None
        return found, document if str(document.get("openapi", "")).startswith("3.") else None

    def _with_policies(self, entry: ApiEntry, defined: tuple[Operation, ...]) -> tuple[Operation, ...]:
        by_name = {one.name.lower(): one for one in defined}
        found = {one.name: one for one in defined}
        for name, path in entry.operations.items():
            operation = by_name.get(name.lower())
            if operation is None:
                names = "" if defined is OPERATIONS else f"; there are {', '.join(one.name for one in defined)}"
                remedy = f"operation {name} is no operationId of the API's specification{names}"
                if entry.specification is None:
                    remedy = f"operation {name} is not known; add specification.yaml or .json with its operationId"
                self._mistake(path, remedy)
                operation = Operation(name=name, method="GET", url_template=f"/{name}")
            label = f"operation {entry.name}/{operation.name}"
            found[operation.name] = replace(operation, **self._policy(label, path))
        return tuple(found.values())

    def _backend(self, entry: Entry) -> Backend | None:
        own = self._properties(BackendProperties, entry.information)
        if own is None or entry.information is None:
            return None
        self._files[f"backend {entry.name}"] = entry.information
        try:
            return backend_of(entry.name, own.model_dump(by_alias=True, exclude_none=True))
        except RuleError as error:
            self._mistake(entry.information, f"properties.{error.path}: {error}")
        except (AttributeError, KeyError, TypeError):
            self._mistake(entry.information, "properties.circuitBreaker: must be as Azure Resource Manager has it")
        return None

    def _subscription(self, entry: Entry) -> Subscription | None:
        own = self._properties(SubscriptionProperties, entry.information)
        if own is None or entry.information is None:
            return None
        kind, _, name = own.scope.strip("/").rpartition("/")
        known = {"products": [one.name for one in self._layout.products], "apis": [a.name for a in self._layout.apis]}
        kind = kind.rsplit("/", 1)[-1]
        if kind in known and name.partition(";")[0] not in known[kind]:
            there = ", ".join(known[kind]) or "none"
            self._mistake(
                entry.information, f"properties.scope: {name} is none of the folder {kind}; there are: {there}"
            )
        return Subscription(
            id=entry.name, scope=own.scope, primary_key=self._keys(entry.name), secondary_key="",
            active=own.state.lower() == "active",
        )  # fmt: skip


def _as_mistake(path: Path, error: EmulatorError) -> Mistake:
    """Part what is told of a file into its place and the rest."""
    told = str(error).removeprefix(str(path))
    place = _PLACE.match(told)
    if place is None:
        return Mistake(path, told.removeprefix(": "))
    return Mistake(path, told[place.end() :], (int(place[1]), int(place[2])))
