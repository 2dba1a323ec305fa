"""What a policy is to the gateway: a name, the sections where it may stand, and how it compiles to a step."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from apim_emulator.csharp import EvaluationError
from apim_emulator.csharp.runtime.turns import in_turns
from apim_emulator.gateway.backends.targets import Target
from apim_emulator.gateway.certificates import Store
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure, Location, Problem, RefusedError, internal_error
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.loading.buffering import bodies_of, buffer_bodies, has_expressions
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.validation.definition import Definitions
from apim_emulator.gateway.witness import note
from apim_emulator.model import Api

SECTIONS = ("inbound", "backend", "outbound", "on-error")
"""Sections of a document, in the order in which they run."""
SCOPES = ("global", "product", "api", "operation")
"""Scopes that documents belong to, from the widest to the narrowest."""

Run = Callable[[Exchange], Awaitable[None]]
Wrap = Callable[[Run, Location, Node], Run]
"""Puts something around a policy when it is compiled, such as a recorder of what it does."""


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled policy at its place."""

    run: Run
    location: Location


@dataclass(frozen=True, slots=True)
class Policy:
    """A kind of policy that the gateway executes."""

    element: str
    """Name of its element."""
    compile: Callable[[Element, "Site"], Run]
    """Raises `RefusedError` for what it does not support."""
    sections: tuple[str, ...] = field(default=SECTIONS, kw_only=True)
    """Sections where it may stand (policy reference)."""
    scopes: tuple[str, ...] = field(default=SCOPES, kw_only=True)
    """Scopes of the documents where it may stand."""
    once: bool = field(default=False, kw_only=True)
    """Whether it may stand once in a section; what stands inside other policies does not count."""
    missing_in: tuple[str, ...] = field(default=(), kw_only=True)
    """Gateways that lack it: `Consumption` or `v2`."""
    holds_policies: bool = field(default=False, kw_only=True)
    """Whether its children are policies of their own; it then brings the bodies that its own expressions read."""
    matches_patterns: bool = field(default=False, kw_only=True)
    """Whether it matches patterns of a schema, which may take as long as an expression."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a policy is compiled, and what it may refer to there."""

    section: str
    scope: str
    path: str
    table: Mapping[str, Policy]
    backends: Mapping[str, Target]
    problems: list[Problem]
    sku: str = ""
    wrap: Wrap | None = None
    apis: tuple[Api, ...] = ()
    """Those whose calls a policy here may meet."""
    certificates: Store = field(default_factory=Store)

    def definitions(self, element: Element) -> Definitions:
        """Read the definitions of those APIs; raises `RefusedError` where one does not say all that it must."""
        try:
            return Definitions(self.apis)
        except ValueError as error:
            raise element.refused(str(error)) from None

    def location(self, element: Element) -> Location:
        """Tell where a policy stands."""
        policy_id = element.literal("id", default="") or ""
        return Location(self.scope, self.section, self.path, policy_id, element.node.name)

    def sequence(self, nodes: tuple[Node, ...]) -> tuple[Step, ...]:
        """Compile policies that run one after another; problems are collected, not raised."""
        steps = []
        for node, path in zip(nodes, _paths(self.path, nodes), strict=True):
            try:
                steps.append(self._step(node, replace(self, path=path)))
            except RefusedError as refused:
                self.problems.append(refused.problem)
        return tuple(steps)

    def inside(self, name: str) -> "Site":
        """Enter a child element that holds policies."""
        return replace(self, path=f"{self.path}/{name}")

    def _step(self, node: Node, site: "Site") -> Step:
        policy = self.table.get(node.name)
        self._check_section(node, policy.sections if policy else unsupported.SECTIONS.get(node.name, SECTIONS))
        if policy is None:
            raise _unsupported(node, self.table)
        self._check_place(node, policy)
        element = Element(node)
        location = site.location(element)
        run = policy.compile(element, site)
        element.done()
        if policy.matches_patterns or has_expressions(node):
            run = _taking_turns(run)
        if not policy.holds_policies and (bodies := bodies_of(node)):
            run = _reading(run, bodies)
        return Step(run if self.wrap is None else self.wrap(run, location, node), location)

    def _check_section(self, node: Node, allowed: tuple[str, ...]) -> None:
        if self.section not in allowed:
            node.refuse(f"may not stand in {self.section}; allowed in {', '.join(sorted(allowed))}")

    def _check_place(self, node: Node, policy: Policy) -> None:
        if self.scope not in policy.scopes:
            node.refuse(f"may not stand at {self.scope} scope; allowed at {', '.join(sorted(policy.scopes))}")
        if _gateway(self.sku) in policy.missing_in:
            tiers = "Developer, Basic, Standard or Premium" + ("" if "v2" in policy.missing_in else ", classic or v2")
            node.refuse(f"is not available in {self.sku}; use the tier {tiers}, or leave the policy out")


def _gateway(sku: str) -> str:
    """Kind of gateway that a pricing tier has."""
    return "v2" if sku.endswith("V2") else sku


def _unsupported(node: Node, table: Iterable[str]) -> RefusedError:
    if node.name == "base":
        return node.refused("must stand directly in a section")
    reason = unsupported.POLICIES.get(node.name)
    if reason is None:
        return node.refused("policy is not supported", allowed=tuple(sorted({*table, *unsupported.POLICIES})))
    return node.refused(f"policy is not supported: {reason}", kind="unsupported")


def _reading(run: Run, bodies: frozenset[str]) -> Run:
    async def read_and_run(exchange: Exchange) -> None:
        await buffer_bodies(exchange, bodies)
        await run(exchange)

    return read_and_run


def _taking_turns(run: Run) -> Run:
    """Let what a policy evaluates be put aside for other calls."""

    async def run_in_turns(exchange: Exchange) -> None:
        await in_turns(run(exchange))

    return run_in_turns


async def run_steps(steps: tuple[Step, ...], exchange: Exchange) -> None:
    """Run policies in order; a failure is told where it happened."""
    for step in steps:
        try:
            await step.run(exchange)
        except Failure as failure:
            failure.placed(step.location)
            raise
        except EvaluationError as error:
            detail = f"Expression evaluation failed. {error.exception}"
            thrown = internal_error("ExpressionValueEvaluationFailure", detail)
            thrown.placed(step.location)
            raise thrown from None


def deferred(run: Run, location: Location) -> Run:
    """Make what a policy leaves to be done later fail as the policy itself does."""

    async def late(exchange: Exchange) -> None:
        note("what {} left to be done later:", location.policy)
        await run(exchange)

    return partial(run_steps, (Step(_taking_turns(late), location),))


def _paths(path: str, nodes: tuple[Node, ...]) -> list[str]:
    """Name each sibling; those that share a name are counted from 1."""
    names = [node.name for node in nodes]
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        own = f"{name}[{seen[name]}]" if names.count(name) > 1 else name
        found.append(f"{path}/{own}" if path else own)
    return found
