"""A deployed gateway compiled: routes, keys and, for every operation and product, the policies to run."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.gateway.backends import Target, compile_backends, endpoint
from sandbox.gateway.document import EMPTY, GLOBAL, SECTIONS, Node, Reader, sections
from sandbox.gateway.errors import PolicyLoadError, Problem, RefusedError
from sandbox.gateway.http import is_header_name
from sandbox.gateway.policies import POLICIES
from sandbox.gateway.policy import Site, Step
from sandbox.gateway.routing import ApiPaths, Operations
from sandbox.gateway.subscriptions import Subscriptions
from sandbox.model import Api, Gateway

Pipeline = Mapping[str, tuple[Step, ...]]
"""Effective steps by section."""

_KIB = 1024


@dataclass(frozen=True, slots=True)
class ApiPlan:
    """An API ready to serve."""

    api: Api
    operations: Operations
    service: Target | None
    """Target of the API's own service URL."""
    pipelines: Mapping[tuple[str | None, str | None], Pipeline]
    """By operation name (None: no operation matched) and product ID (None: no product context)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a call needs, made once when a gateway is loaded."""

    gateway: Gateway
    paths: ApiPaths
    apis: Mapping[str, ApiPlan]
    subscriptions: Subscriptions
    no_api: Pipeline
    """Pipeline of calls that no API matches: the global policy."""


def compile_plan(gateway: Gateway) -> Plan:
    """Compile a gateway; raises `PolicyLoadError` with every problem found."""
    problems: list[Problem] = []
    loader = _Loader(gateway, problems)
    paths: dict[str, str] = {}
    apis = {}
    for api in gateway.apis:
        path = api.path.strip("/")
        if path in paths:
            problems.append(Problem(f"api {api.id}", 1, "path", f"/{path} already belongs to api {paths[path]}"))
        paths[path] = api.id
        plan = loader.api(api)
        if plan is not None:
            apis[api.id] = plan
    subscriptions = None
    try:
        subscriptions = Subscriptions(gateway)
    except ValueError as error:
        problems.append(Problem("subscriptions", 1, "scope", str(error)))
    if problems or subscriptions is None:
        raise PolicyLoadError(list(dict.fromkeys(problems)))
    return Plan(gateway, ApiPaths(paths), apis, subscriptions, loader.global_steps)


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of one document: its steps before `<base/>` and after it."""

    before: tuple[Step, ...]
    after: tuple[Step, ...]
    has_base: bool

    def around(self, parent: tuple[Step, ...]) -> tuple[Step, ...]:
        """Put the parent's steps where `<base/>` stands; without it they are dropped."""
        return (*self.before, *parent, *self.after) if self.has_base else self.before


class _Loader:
    """Compiles the documents of one service, each once however many operations and products use it."""

    def __init__(self, gateway: Gateway, problems: list[Problem]) -> None:
        self._gateway = gateway
        self._problems = problems
        self._reader = Reader(max_size(gateway), gateway.named_values)
        self._fragments = read_fragments(gateway, self._reader, problems)
        self._backends = compile_backends(gateway.backends, self._reader, problems)
        self._nothing: Pipeline = dict.fromkeys(SECTIONS, ())
        self.global_steps = self._around(self._compiled(gateway.policy or EMPTY, GLOBAL, "global"), self._nothing)
        self._products = {
            product.id: self._document(product.policy, f"product {product.id}", "product", self.global_steps)
            for product in gateway.products
        }

    def api(self, api: Api) -> ApiPlan | None:
        """Compile an API for each of its operations in each product; None where a problem prevents it."""
        label = f"api {api.id}"
        service: Target | None = None
        if api.service_url is not None:
            service = endpoint(api.service_url)
            if service is None:
                self._problems.append(
                    Problem(label, 1, "serviceUrl", "is not an http or https URL without query and user")
                )
        if not is_header_name(api.key_header):
            self._problems.append(Problem(label, 1, "subscriptionKeyParameterNames", "is no header name"))
        try:
            operations = Operations(api.operations)
        except ValueError as error:
            self._problems.append(Problem(label, 1, "operations", str(error)))
            return None
        own = None if api.policy is None else self._compiled(api.policy, label, "api")
        documents = {
            operation.name: self._compiled(operation.policy, f"operation {api.id}/{operation.name}", "operation")
            for operation in api.operations
            if operation.policy is not None
        }
        pipelines: dict[tuple[str | None, str | None], Pipeline] = {}
        for product in (None, *(product.id for product in self._gateway.products if api.id in product.api_ids)):
            outer = self.global_steps if product is None else self._products[product]
            pipeline = outer if own is None else self._around(own, outer)
            pipelines[None, product] = pipeline
            for operation in api.operations:
                document = documents.get(operation.name)
                pipelines[operation.name, product] = pipeline if document is None else self._around(document, pipeline)
        return ApiPlan(api, operations, service, pipelines)

    def _document(self, text: str | None, label: str, scope: str, outer: Pipeline) -> Pipeline:
        return outer if text is None else self._around(self._compiled(text, label, scope), outer)

    def _around(self, document: Mapping[str, _Section], outer: Pipeline) -> Pipeline:
        return {section: own.around(outer[section]) for section, own in document.items()}

    def _compiled(self, text: str, label: str, scope: str) -> Mapping[str, _Section]:
        """Compile a document; problems are collected."""
        try:
            documents = sections(self._reader.read(text, label), self._fragments)
        except RefusedError as refused:
            self._problems.append(refused.problem)
            return dict.fromkeys(SECTIONS, _Section((), (), has_base=False))
        return {
            section: self._section(nodes, Site(section, scope, "", POLICIES, self._backends, self._problems))
            for section, nodes in documents.items()
        }

    def _section(self, nodes: tuple[Node, ...], site: Site) -> _Section:
        place = next((index for index, node in enumerate(nodes) if node.name == "base"), None)
        if place is None:
            return _Section(site.sequence(nodes), (), has_base=False)
        base = nodes[place]
        if base.attributes or base.children or base.text.strip():
            self._problems.append(base.refused("takes nothing").problem)
        own = site.sequence((*nodes[:place], *nodes[place + 1 :]))
        return _Section(own[:place], own[place:], has_base=True)


def max_size(gateway: Gateway) -> int:
    """Return the largest policy document of the service's SKU, in bytes."""
    return (16 if gateway.sku == "Consumption" else 256) * _KIB


def read_fragments(gateway: Gateway, reader: Reader, problems: list[Problem]) -> dict[str, Node]:
    """Parse the policy fragments; problems are collected."""
    found = {}
    for name, text in gateway.fragments.items():
        try:
            found[name] = reader.read(text, f"fragment {name}", "fragment")
        except RefusedError as refused:
            problems.append(refused.problem)
    return found
