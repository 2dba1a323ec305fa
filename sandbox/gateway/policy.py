"""What a policy is to the gateway: a name, the sections where it may stand, and how it compiles to a step."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from policies.availability import unavailable
from policies.catalog import TYPES
from policies.include_fragment import IncludeFragment
from policies.policy import TypedPolicy
from sandbox.expressions import EvaluationError
from sandbox.gateway import limits
from sandbox.gateway.backends import Target
from sandbox.gateway.definition import Definitions
from sandbox.gateway.document import Node
from sandbox.gateway.element import Element
from sandbox.gateway.errors import Failure, Location, Problem, RefusedError, internal_error
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.reading import bodies_of, bring
from sandbox.model import Api

_TYPES = {kind.tag: kind for kind in TYPES if kind is not IncludeFragment}

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

    kind: type[TypedPolicy]
    """Its options: they say what it is called, and where and how often it may stand."""
    compile: Callable[[Element, "Site"], Run]
    """Raises `RefusedError` for what it does not support."""
    holds_policies: bool = False
    """Whether its children are policies of their own; it then brings the bodies that its own expressions read."""


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
        kind = policy.kind if policy else _TYPES.get(node.name)
        if kind is not None:
            self._check_place(node, kind)
        if policy is None:
            raise node.refused(_unsupported(node.name))
        element = Element(node)
        location = site.location(element)
        run = policy.compile(element, site)
        element.done()
        if not policy.holds_policies and (bodies := bodies_of(node)):
            run = _reading(run, bodies)
        return Step(run if self.wrap is None else self.wrap(run, location, node), location)

    def _check_place(self, node: Node, kind: type[TypedPolicy]) -> None:
        if self.section not in kind.sections:
            raise node.refused(f"may not stand in {self.section}; allowed in {', '.join(sorted(kind.sections))}")
        if self.scope not in kind.scopes:
            raise node.refused(f"may not stand at {self.scope} scope; allowed at {', '.join(sorted(kind.scopes))}")
        if reason := unavailable(kind.tag, self.sku):
            raise node.refused(reason)


def _unsupported(name: str) -> str:
    if name == "base":
        return "must stand directly in a section"
    reason = limits.POLICIES.get(name)
    return f"policy is not supported{f': {reason}' if reason else ''}"


def _reading(run: Run, bodies: frozenset[str]) -> Run:
    async def read_and_run(exchange: Exchange) -> None:
        await bring(exchange, bodies)
        await run(exchange)

    return read_and_run


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


def later(run: Run, location: Location) -> Run:
    """Make what a policy leaves to be done later fail as the policy itself does."""
    return partial(run_steps, (Step(run, location),))


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
