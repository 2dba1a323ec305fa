"""What a policy is to the gateway: a name, the sections where it may stand, and how it compiles to a step."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from sandbox.expressions import EvaluationError
from sandbox.gateway.backends import Target
from sandbox.gateway.document import SECTIONS, Node
from sandbox.gateway.element import Element
from sandbox.gateway.errors import Failure, Location, Problem, RefusedError, internal_error
from sandbox.gateway.exchange import Exchange

Run = Callable[[Exchange], Awaitable[None]]

EVERYWHERE = frozenset(SECTIONS)
INBOUND = frozenset({"inbound"})


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled policy at its place."""

    run: Run
    location: Location


@dataclass(frozen=True, slots=True)
class Policy:
    """A kind of policy that the gateway executes."""

    name: str
    sections: frozenset[str]
    compile: Callable[[Element, "Site"], Run]
    """Raises `RefusedError` for what it does not support."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a policy is compiled, and what it may refer to there."""

    section: str
    scope: str
    path: str
    table: Mapping[str, Policy]
    backends: Mapping[str, Target]
    problems: list[Problem]

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
        if policy is None:
            reason = "must stand directly in a section" if node.name == "base" else "policy is not supported"
            raise node.refused(reason)
        if self.section not in policy.sections:
            raise node.refused(f"may not stand in {self.section}; allowed in {', '.join(sorted(policy.sections))}")
        element = Element(node)
        policy_id = element.literal("id", default="") or ""
        run = policy.compile(element, site)
        element.done()
        return Step(run, Location(self.scope, self.section, site.path, policy_id, node.name))


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
