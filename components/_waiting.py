"""Waits for what Azure grants at once and lets take effect later."""

import asyncio
import re
from itertools import count

import pulumi

_WAITS = (2, 4, 8, 16, *[30] * 29)
"""Seconds before each further try, 15 minutes in all: Azure documents ten for a role ("Troubleshoot Azure RBAC"),
and a slow tenant takes longer. The engine itself gives up after a hundred tries."""

_KEY_VAULT = re.compile(r"key ?vault|\.vault\.", re.IGNORECASE)

_number = count(1)

sleep = asyncio.sleep


def until_the_vault_is_open(name: str) -> pulumi.ResourceHookBinding:
    """Try again to create or change `name`, for which the service reads a secret, while Key Vault refuses the gateway.

    A role that is seconds old opens nothing yet, and the name of a new vault may not resolve yet; nothing but the try
    itself tells when they do. So the first try costs nothing, and where the vault is open none follows.
    """

    async def wait(failure: pulumi.ErrorHookArgs) -> bool:
        tries = len(failure.errors)
        # Words of the service alone: a user's own names may speak of a key vault too.
        words = re.sub(r"/subscriptions/\S+", "", failure.errors[0]).replace(name, "")
        if failure.failed_operation == "delete" or not _KEY_VAULT.search(words):
            return False
        if tries > len(_WAITS):
            pulumi.log.warn(
                f"{name}: Key Vault refused the gateway for {_spoken(sum(_WAITS))}; see that its identity holds Key "
                "Vault Secrets User on the secret and that the vault's network lets it in, then run up again"
            )
            return False
        seconds = _WAITS[tries - 1]
        pulumi.log.info(
            f"{name}: Key Vault refuses the gateway as long as its new role has no effect, which takes minutes; next "
            f"try in {seconds} s ({_spoken(sum(_WAITS[: tries - 1]))} of {_spoken(sum(_WAITS))} so far)"
        )
        await sleep(seconds)
        return True

    # The engine knows hooks by name; components of one name may have different parents.
    hook = pulumi.ErrorHook(f"{name}-until-the-vault-is-open-{next(_number)}", wait)
    return pulumi.ResourceHookBinding(on_error=[hook])


def _spoken(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes)
    return " ".join(parts)
