"""Write `emulator/docs/coverage.md`: what the emulator runs, as its own declarations say it.

`python -m emulator.tests.coverage.page`, in the repository's folder.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from apim_emulator.azure.registry import resource_types
from apim_emulator.azure.resource_types.resource_type import ResourceType
from apim_emulator.azure.resource_types.shape import Shape
from apim_emulator.csharp.library import table
from apim_emulator.csharp.library.table import Member
from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.loading.policy import SCOPES, SECTIONS, Policy
from apim_emulator.gateway.policies import POLICIES
from emulator.tests.coverage.policy_parts import policy_parts

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
COMMAND = "python -m emulator.tests.coverage.page"
_KINDS = {"[]": "arrays", "?": "nullable values", "context": "context"}


TEMPLATE = """# Coverage

What the emulator runs, and what it refuses and why. `{command}` writes this page from the
declarations that the code itself uses, and a test holds it current.

[Public policy documents](public-policies.md) tells how much of what people publish it loads.

- [Policies](#policies), and [those that are refused](#policies-that-are-refused)
- [Attributes, elements and values that are refused](#attributes-elements-and-values-that-are-refused)
- [Expressions](#expressions)
- [Azure resources](#azure-resources)

## Policies

`@name` is an attribute of the policy, `element@name` one of an element in it. Every policy also takes `@id`; `base` and
`include-fragment` are read with the document. What does not say *or expression* is a literal, in API Management too. A
policy may stand in every section and at every scope, as often as one likes, unless it says otherwise.

{policies}

## Policies that are refused

API Management has them. A document with one is refused when it is loaded, for this reason.

{refused_policies}

## Attributes, elements and values that are refused

{refused_parts}

{refused_values}

## Expressions

The members that C# expressions may use, by type. A document with another one, or with other types of arguments, is
refused when it is loaded.

{members}

Extension methods:

{extensions}

## Azure resources

The types of the control plane, by their Pulumi tokens. Properties that are required, or are where
the object around them is given, are bold. Other types of these providers are
kept as they are given and have no effect; one that no provider has is refused.

{resources}
"""


def page() -> str:
    """Return the whole page."""
    return TEMPLATE.format(
        command=COMMAND,
        policies="\n".join(_policies()).rstrip(),
        refused_policies=_table(
            ("policy", "reason"), ((_code(name), reason) for name, reason in sorted(unsupported.POLICIES.items()))
        ),
        refused_parts=_table(
            ("in", "attribute or element", "reason"),
            ((_code(owner), _code(part), reason) for (owner, part), reason in sorted(unsupported.PARTS.items())),
        ),
        refused_values=_table(
            ("in", "attribute", "values that are run", "why no others"),
            (
                (_code(owner), _code(attribute), ", ".join(map(_code, values)), reason)
                for (owner, attribute), (values, reason) in sorted(unsupported.VALUES.items())
            ),
        ),
        members=_table(("type", "members"), _members()),
        extensions=_table(
            ("method", "parameters, the first before the dot"),
            (
                (_code(name), ", ".join(_code(_signature(one)) for one in found))
                for name, found in sorted(table.EXTENSIONS.items())
            ),
        ),
        resources=_table(
            ("type", "properties", "a change of these replaces it", "is deleted"), map(_resource, _resources())
        ),
    )


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _policies() -> Iterator[str]:
    for name, policy in sorted(POLICIES.items()):
        yield from (f"### {name}", "")
        if said := _placed(policy):
            yield from (said, "")
        rows = [
            (_code(part.path) if part.path else "its text", part.takes)
            for part in policy_parts(name)
            if part.path != "@id"
        ]
        if rows:
            yield from (_table(("attribute or element", "takes"), rows), "")


def _placed(policy: Policy) -> str:
    said = []
    if policy.sections != SECTIONS:
        said.append(f"in {', '.join(policy.sections)}")
    if policy.scopes != SCOPES:
        said.append(f"at {', '.join(policy.scopes)} scope")
    if policy.once:
        said.append("once in a section")
    if policy.missing_in:
        said.append(f"not in {' or '.join(policy.missing_in)}")
    if policy.holds_policies:
        said.append("holds policies")
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _members() -> Iterator[tuple[str, str]]:
    """Give each type with its members as C# writes them."""
    tables = (table.PROPERTIES, table.METHODS, table.INDEXERS, table.CONSTRUCTORS, table.STATICS)
    constants: dict[str, list[str]] = {}
    for full in (*table.CONSTANTS, *table.AMBIENT):
        owner, _, name = full.rpartition(".")
        constants.setdefault(owner, []).append(name)
    names = {name for one in tables for name in one} | constants.keys()
    for name in sorted(names, key=lambda one: (not one[0].isalpha(), one.lower())):
        shown = [_signature(one, f"new {name}") for one in table.CONSTRUCTORS.get(name, ())]
        shown += [f"static {one}" for one in constants.get(name, ())]
        shown += [f"static {_signature(one)}" for one in _flat(table.STATICS.get(name, {}))]
        shown += [
            f"{one.name}{' (settable)' if one.name in table.SETTERS.get(name, {}) else ''}"
            for one in table.PROPERTIES.get(name, {}).values()
        ]
        shown += [_indexer(one) for one in table.INDEXERS.get(name, ())]
        shown += [_signature(one) for one in _flat(table.METHODS.get(name, {}))]
        yield _KINDS.get(name, _code(name)), ", ".join(_code(one) for one in dict.fromkeys(shown))


def _flat(overloads: Mapping[str, tuple[Member, ...]]) -> Iterator[Member]:
    for found in overloads.values():
        yield from found


def _signature(member: Member, name: str | None = None) -> str:
    parts = [
        f"{'out ' if place in member.outs else ''}"
        f"{'params ' if member.expands and place == len(member.parameters) - 1 else ''}{kind}"
        for place, kind in enumerate(member.parameters)
    ]
    generics = f"<{', '.join(member.generics)}>" if member.generics else ""
    return f"{name or member.name}{generics}({', '.join(parts)})"


def _indexer(member: Member) -> str:
    return f"[{', '.join(map(str, member.parameters))}]"


def _resources() -> list[ResourceType]:
    return [kind for _, kind in sorted(resource_types().items())]


def _resource(kind: ResourceType) -> tuple[str, ...]:
    replaces = ", ".join(_code(name) for name in sorted(kind.immutable))
    if kind.shape.names <= kind.immutable.keys():
        replaces = "of anything"
    deleted = "lives in the program's state alone" if not kind.kept else "softly" if kind.soft_delete else "at once"
    return _code(kind.token), ", ".join(_properties(kind.shape)), replaces, deleted


def _properties(shape: Shape, prefix: str = "") -> Iterator[str]:
    for name in sorted(shape.names):
        inner = shape.inside.get(name)
        if isinstance(inner, Shape) and inner.names:
            yield from _properties(inner, f"{prefix}{name}.")
        else:
            yield f"**{_code(prefix + name)}**" if name in shape.required else _code(prefix + name)


if __name__ == "__main__":
    main()
