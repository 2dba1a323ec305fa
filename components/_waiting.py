"""Waits until a role assignment, which Azure accepts at once, takes effect."""

import asyncio
import re
from itertools import count

import pulumi

_WAITS = (2, 4, 8, 16, *[30] * 29)
"""Seconds before each retry, 15 minutes in total: Azure documents ten for a role ("Troubleshoot Azure RBAC"), and slow
tenants take longer. The engine itself gives up after a hundred tries."""

_KEY_VAULT = re.compile(r"key ?vault|\.vault\.", re.IGNORECASE)

_number = count(1)

sleep = asyncio.sleep


def retry_until_vault_access(name: str) -> pulumi.ResourceHookBinding:
    """Retry the creation or update of `name`, for which the service reads a secret, while Key Vault refuses it.

    A new role assignment has no effect at first, and the name of a new vault may not resolve yet. Only an attempt shows
    when they work, so the first one is made at once, and none follows if it succeeds.
    """

    async def wait(failure: pulumi.ErrorHookArgs) -> bool:
        tries = len(failure.errors)
        # Without the user's own names, which may mention a key vault too.
        message = re.sub(r"/subscriptions/\S+", "", failure.errors[0]).replace(name, "")
        if failure.failed_operation == "delete" or not _KEY_VAULT.search(message):
            return False
        if tries > len(_WAITS):
            pulumi.log.warn(
                f"{name}: Key Vault refused the gateway for {_duration(sum(_WAITS))}; make sure that its identity "
                "holds Key Vault Secrets User on the secret and that the vault's network allows it, then run up again"
            )
            return False
        seconds = _WAITS[tries - 1]
        pulumi.log.info(
            f"{name}: Key Vault refuses the gateway until its new role takes effect, which may take minutes; next try "
            f"in {seconds} s ({_duration(sum(_WAITS[: tries - 1]))} of {_duration(sum(_WAITS))} so far)"
        )
        await sleep(seconds)
        return True

    # The engine identifies hooks by name, and components of the same name may have different parents.
    hook = pulumi.ErrorHook(f"{name}-until-the-vault-is-open-{next(_number)}", wait)
    return pulumi.ResourceHookBinding(on_error=[hook])


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes))
