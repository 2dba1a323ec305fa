"""A deployed gateway compiled: routes, keys and, for every operation and product, the policies to run."""

from collections.abc import Mapping
from dataclasses import dataclass

from apim_emulator.gateway.backends.targets import Target, compile_backends, endpoint
from apim_emulator.gateway.certificates import Store, read_store
from apim_emulator.gateway.context.objects import ApiInfo, OperationInfo
from apim_emulator.gateway.failures import PolicyLoadError, Problem, RefusedError
from apim_emulator.gateway.http.headers import is_header_name
from apim_emulator.gateway.loading.document import EMPTY, GLOBAL, SECTIONS, Node, Reader, sections
from apim_emulator.gateway.loading.mistakes import every_mistake
from apim_emulator.gateway.loading.policy import Site, Step, Wrap
from apim_emulator.gateway.policies import POLICIES
from apim_emulator.gateway.routing import ApiPaths, Operations
from apim_emulator.gateway.subscriptions import Subscriptions
from apim_emulator.model import Api, Diagnostic, Gateway, Product

Pipeline = Mapping[str, tuple[Step, ...]]
"""Effective steps by section."""

RAW = "rawxml"
"""Format of a document whose expressions are not escaped."""
_KIB = 1024


@dataclass(frozen=True, slots=True)
class ApiPlan:
    """An API ready to serve."""

    api: Api
    info: ApiInfo
    operations: Operations
    operation_infos: Mapping[str, OperationInfo]
    service: Target | None
    """Target of the API's own service URL."""
    pipelines: Mapping[tuple[str | None, str | None], Pipeline]
    """By operation name (None: no operation matched) and product ID (None: no product context)."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """The API's own, and the service's that it has none of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a call needs, made once when a gateway is loaded."""

    gateway: Gateway
    paths: ApiPaths
    apis: Mapping[str, ApiPlan]
    subscriptions: Subscriptions
    no_api: Pipeline
    """Pipeline of calls that no API matches: the global policy."""
    certificates: Store

    @property
    def diagnosed(self) -> bool:
        """Whether anything has diagnostics."""
        return bool(self.gateway.diagnostics) or any(api.diagnostics for api in self.apis.values())


def compile_plan(gateway: Gateway, wrap: Wrap | None = None) -> Plan:
    """Compile a gateway, with something around each policy if asked; raises `PolicyLoadError` with every problem."""
    problems: list[Problem] = []
    loader = _Loader(gateway, problems, wrap)
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
    return Plan(gateway, ApiPaths(paths), apis, subscriptions, loader.global_steps, loader.certificates)


def every_problem(gateway: Gateway) -> list[Problem]:
    """Find all that prevents a gateway from being loaded; `compile_plan` goes no further than an element's first."""
    with every_mistake() as found:
        try:
            compile_plan(gateway)
        except PolicyLoadError as error:
            found.extend(error.problems)
    first: dict[object, Problem] = {}
    for problem in found:
        # What follows from a mistake in an attribute is told of that attribute too, but for its being there at all.
        where = (problem.document, problem.line, problem.column)
        place = (*where, problem.policy, problem.attribute, bool(problem.allowed))
        first.setdefault(place if problem.attribute else problem, problem)
    return sorted(first.values(), key=lambda one: (one.document, one.line, one.column or 0))


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of one document: its steps before `<base/>` and after it."""

    before: tuple[Step, ...]
    after: tuple[Step, ...]
    has_base: bool

    def around(self, parent: tuple[Step, ...]) -> tuple[Step, ...]:
        """Put the parent's steps where `<base/>` stands; without it they are dropped."""
        return (*self.before, *parent, *self.after) if self.has_base else self.before


@dataclass(frozen=True, slots=True)
class _Document:
    """A policy document of one scope."""

    text: str
    format: str
    label: str
    scope: str
    apis: tuple[Api, ...]
    """Whose calls it may meet."""


class _Loader:
    """Compiles the documents of one service, each once however many operations and products use it."""

    def __init__(self, gateway: Gateway, problems: list[Problem], wrap: Wrap | None) -> None:
        self._gateway = gateway
        self._wrap = wrap
        self._problems = problems
        self._reader = Reader(max_size(gateway), gateway.named_values)
        self._fragments = read_fragments(gateway, self._reader, problems)
        self.certificates = read_store(gateway, problems)
        self._backends = compile_backends(gateway.backends, self._reader, problems, self.certificates)
        self._nothing: Pipeline = dict.fromkeys(SECTIONS, ())
        outermost = _Document(gateway.policy or EMPTY, gateway.policy_format, GLOBAL, "global", gateway.apis)
        self.global_steps = self._around(self._compiled(outermost), self._nothing)
        self._products = {product.id: self._product(product) for product in gateway.products}

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
        own = None
        if api.policy is not None:
            own = self._compiled(_Document(api.policy, api.policy_format, label, "api", (api,)))
        documents = {}
        for operation in api.operations:
            if operation.policy is not None:
                place = f"operation {api.id}/{operation.name}"
                document = _Document(operation.policy, operation.policy_format, place, "operation", (api,))
                documents[operation.name] = self._compiled(document)
        pipelines: dict[tuple[str | None, str | None], Pipeline] = {}
        for product in (None, *(product.id for product in self._gateway.products if api.id in product.api_ids)):
            outer = self.global_steps if product is None else self._products[product]
            pipeline = outer if own is None else self._around(own, outer)
            pipelines[None, product] = pipeline
            for operation in api.operations:
                inner = documents.get(operation.name)
                pipelines[operation.name, product] = pipeline if inner is None else self._around(inner, pipeline)
        infos = {found.name: OperationInfo(found.name, found.method, found.url_template) for found in api.operations}
        diagnostics = {found.id: found for found in (*self._gateway.diagnostics, *api.diagnostics)}
        info = ApiInfo(api.id, api.id, api.path)
        return ApiPlan(api, info, operations, infos, service, pipelines, tuple(diagnostics.values()))

    def _product(self, product: Product) -> Pipeline:
        if product.policy is None:
            return self.global_steps
        apis = tuple(api for api in self._gateway.apis if api.id in product.api_ids)
        document = _Document(product.policy, product.policy_format, f"product {product.id}", "product", apis)
        return self._around(self._compiled(document), self.global_steps)

    def _around(self, document: Mapping[str, _Section], outer: Pipeline) -> Pipeline:
        return {section: own.around(outer[section]) for section, own in document.items()}

    def _compiled(self, document: _Document) -> Mapping[str, _Section]:
        """Compile a document; problems are collected."""
        try:
            root = self._reader.read(document.text, document.label, raw=document.format == RAW)
            documents = sections(root, self._fragments)
        except RefusedError as refused:
            self._problems.append(refused.problem)
            return dict.fromkeys(SECTIONS, _Section((), (), has_base=False))
        everywhere = (
            *(POLICIES, self._backends, self._problems, self._gateway.sku, self._wrap, document.apis),
            self.certificates,
        )
        return {
            section: self._section(nodes, Site(section, document.scope, "", *everywhere))
            for section, nodes in documents.items()
        }

    def _section(self, nodes: tuple[Node, ...], site: Site) -> _Section:
        met: set[str] = set()
        for node in nodes:
            if node.name in met and node.name in POLICIES and POLICIES[node.name].once:
                self._problems.append(node.refused(f"may stand once in {site.section}").problem)
            met.add(node.name)
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
            found[name] = reader.read(text, f"fragment {name}", "fragment", raw=name in gateway.raw_fragments)
        except RefusedError as refused:
            problems.append(refused.problem)
    return found
