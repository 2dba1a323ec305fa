"""Waits until something that Azure accepts at once takes effect, such as a role assignment."""

import asyncio
import re
from itertools import count

import pulumi

_WAITS = (2, 4, 8, 16, *[30] * 29)
"""Seconds before each retry, 15 minutes in total: Azure documents ten for a role ("Troubleshoot Azure RBAC"), and slow
tenants take longer. The engine itself gives up after a hundred tries."""

_KEY_VAULT = re.compile(r"key ?vault|\.vault\.", re.IGNORECASE)
_ACCOUNT = re.compile("AccountProvisioningStateInvalid")

_number = count(1)

sleep = asyncio.sleep


def retry_until_vault_access(name: str) -> pulumi.ResourceHookBinding:
    """Retry the creation or update of `name`, for which the service reads a secret, while Key Vault refuses it.

    A new role assignment has no effect at first, and the name of a new vault may not resolve yet. Only an attempt shows
    when they work, so the first one is made at once, and none follows if it succeeds.
    """
    return _retry(
        name,
        "until-the-vault-is-open",
        _KEY_VAULT,
        waiting="Key Vault refuses the gateway until its new role takes effect, which may take minutes",
        given_up=f"Key Vault refused the gateway for {_duration(sum(_WAITS))}; make sure that its identity holds Key "
        "Vault Secrets User on the secret and that the vault's network allows it, then run up again",
    )


def retry_until_account_is_ready(name: str) -> pulumi.ResourceHookBinding:
    """Retry the creation of the private endpoint `name` while Azure still sets up the account that it leads to.

    The account's own provider says that it is done before Microsoft.Network sees it so (azurerm #31712).
    """
    return _retry(
        name,
        "until-the-account-is-ready",
        _ACCOUNT,
        waiting="Azure still sets up the account that the private endpoint leads to",
        given_up=f"Azure set up the account for {_duration(sum(_WAITS))}; look at its state in the portal, then run up "
        "again",
    )


def _retry(
    name: str, until: str, refusal: re.Pattern[str], *, waiting: str, given_up: str
) -> pulumi.ResourceHookBinding:
    """Retry the creation or update of `name` while it fails with such a message."""

    async def wait(failure: pulumi.ErrorHookArgs) -> bool:
        tries = len(failure.errors)
        # Without the user's own names, which may mention a key vault too.
        message = re.sub(r"/subscriptions/\S+", "", failure.errors[0]).replace(name, "")
        if failure.failed_operation == "delete" or not refusal.search(message):
            return False
        if tries > len(_WAITS):
            pulumi.log.warn(f"{name}: {given_up}")
            return False
        seconds = _WAITS[tries - 1]
        pulumi.log.info(
            f"{name}: {waiting}; next try in {seconds} s ({_duration(sum(_WAITS[: tries - 1]))} of "
            f"{_duration(sum(_WAITS))} so far)"
        )
        await sleep(seconds)
        return True

    # The engine identifies hooks by name, and components of the same name may have different parents.
    hook = pulumi.ErrorHook(f"{name}-{until}-{next(_number)}", wait)
    return pulumi.ResourceHookBinding(on_error=[hook])


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes))
