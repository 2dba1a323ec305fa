"""What a stack is to create and somebody else has already, on a service or an account that several stacks share.

Only the engine knows what is a stack's own: at preview it gives an ID to what is in the stack's state, and to nothing
else. What has none, and is found in Azure all the same, is told then, before anything is created. A deployment without
a preview is stopped too late for that: azure-native reads before it creates, and "cannot create already existing
resource" is all that it says.
"""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pulumi

_IMPORT = (
    "take over what is yours with pulumi import, which takes type, name and ID as above "
    '(docs/environments.md: "Several stacks on one service")'
)
NAMES = (
    "the service has these already, and this stack's state has not:",
    f"give this stack names of its own with gateway.namePrefix, or {_IMPORT}",
)
ROLES = (
    "these roles are assigned already, and not in this stack's state:",
    f"leave them to the account's owner with roleAssigned in its existing, or {_IMPORT}",
)
"""What stands above and below a list of clashes."""


class _Clash(NamedTuple):
    kind: tuple[str, str]
    line: str


_lookups: WeakKeyDictionary[asyncio.AbstractEventLoop, list[asyncio.Task[_Clash | None]]] = WeakKeyDictionary()


def expect_none(
    resource: pulumi.CustomResource,
    function: str,
    args: Mapping[str, pulumi.Input[str]],
    *,
    kind: tuple[str, str],
    asking: pulumi.InvokeOutputOptions,
) -> None:
    """Fail a preview that is to create `resource`, where azure-native's `function` finds that there is one."""
    if not pulumi.runtime.is_dry_run():
        return
    loop = asyncio.get_running_loop()
    lookup = loop.create_task(_look_up(resource, function, args, kind, asking))
    _lookups.setdefault(loop, []).append(lookup)
    # An output, since the program waits for those, and fails with them.
    _: pulumi.Output[bool] = pulumi.Output.from_input(loop.create_task(_report(loop, lookup)))


async def _look_up(
    resource: pulumi.CustomResource,
    function: str,
    args: Mapping[str, pulumi.Input[str]],
    kind: tuple[str, str],
    asking: pulumi.InvokeOutputOptions,
) -> _Clash | None:
    options = pulumi.InvokeOptions(
        parent=asking.parent, provider=asking.provider, version=version("pulumi-azure-native")
    )
    try:
        given: pulumi.Output[Any] = pulumi.Output.all(**args)
        if await resource.id.is_known() or not await given.is_known():
            return None
        found = await pulumi.runtime.invoke_async(f"azure-native:{function}", await given.future() or {}, options)
    except Exception:  # noqa: BLE001 - there is none, or the deployment fails for a reason of its own
        return None
    return _Clash(kind, f"  {resource.pulumi_resource_type} {resource.pulumi_resource_name} {found['id']}")


async def _report(loop: asyncio.AbstractEventLoop, lookup: asyncio.Task[_Clash | None]) -> bool:
    """Raise one error that lists all clashes of the program, if this lookup found one."""
    if await lookup is None:
        return True
    found = {clash for clash in await asyncio.gather(*_lookups[loop]) if clash is not None}
    lines: list[str] = []
    for kind in sorted({clash.kind for clash in found}):
        above, below = kind
        lines += [above, *sorted(clash.line for clash in found if clash.kind == kind), below]
    raise pulumi.RunError("\n".join(lines))
