"""Reports resources that a stack would create but that already exist, on a service or account that stacks share.

Only the engine knows which resources are a stack's own: in a preview, only those in the stack's state have an ID. A
resource without an ID that is found in Azure is reported then, before anything is created. Without a preview it is too
late: azure-native reads before it creates, and fails with only "cannot create already existing resource".
"""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pulumi

_IMPORT = (
    "take over those that are yours with pulumi import and the type, name and ID above "
    '(docs/environments.md: "Several stacks on one service")'
)
NAMES = (
    "these exist on the service already and are not in this stack's state:",
    f"give this stack its own names with gateway.namePrefix, or {_IMPORT}",
)
ROLES = (
    "these roles are assigned already and are not in this stack's state:",
    f"leave them to the account's owner with roleAssigned in existing, or {_IMPORT}",
)
CACHES = (
    "this service has a cache already, which is not in this stack's state:",
    "a service has a single one: use it with connected in redis, or take it over with pulumi import and the type, name "
    "and ID above",
)
"""The lines before and after a list of clashes."""


class _Clash(NamedTuple):
    kind: tuple[str, str]
    line: str


_lookups: WeakKeyDictionary[asyncio.AbstractEventLoop, list[asyncio.Task[_Clash | None]]] = WeakKeyDictionary()


def report_clash(
    resource: pulumi.CustomResource,
    function: str,
    args: Mapping[str, pulumi.Input[str]],
    *,
    kind: tuple[str, str],
    opts: pulumi.InvokeOutputOptions,
) -> None:
    """Make the preview fail if it would create `resource` but azure-native's `function` finds it in Azure."""
    if not pulumi.runtime.is_dry_run():
        return
    loop = asyncio.get_running_loop()
    lookup = loop.create_task(_look_up(resource, function, args, kind, opts))
    _lookups.setdefault(loop, []).append(lookup)
    # An output, since the program waits for outputs and fails if one does.
    _: pulumi.Output[bool] = pulumi.Output.from_input(loop.create_task(_report(loop, lookup)))


async def _look_up(
    resource: pulumi.CustomResource,
    function: str,
    args: Mapping[str, pulumi.Input[str]],
    kind: tuple[str, str],
    opts: pulumi.InvokeOutputOptions,
) -> _Clash | None:
    options = pulumi.InvokeOptions(parent=opts.parent, provider=opts.provider, version=version("pulumi-azure-native"))
    try:
        given: pulumi.Output[Any] = pulumi.Output.all(**args)
        if await resource.id.is_known() or not await given.is_known():
            return None
        found = await pulumi.runtime.invoke_async(f"azure-native:{function}", await given.future() or {}, options)
    except Exception:  # noqa: BLE001 - the resource does not exist, or the deployment fails for another reason
        return None
    return _Clash(kind, f"  {resource.pulumi_resource_type} {resource.pulumi_resource_name} {found['id']}")


async def _report(loop: asyncio.AbstractEventLoop, lookup: asyncio.Task[_Clash | None]) -> bool:
    """Raise one error that lists all clashes of the program if this lookup found one."""
    if await lookup is None:
        return True
    found = {clash for clash in await asyncio.gather(*_lookups[loop]) if clash is not None}
    lines: list[str] = []
    for kind in sorted({clash.kind for clash in found}):
        above, below = kind
        lines += [above, *sorted(clash.line for clash in found if clash.kind == kind), below]
    raise pulumi.RunError("\n".join(lines))
