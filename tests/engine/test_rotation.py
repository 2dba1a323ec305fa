"""`python -m operations rotate` with the real engine, and with an `az` that changes the emulator's cloud."""

import os
import subprocess
import sys
from collections.abc import Callable

from apim_emulator.model import Subscription
from tests.deployed import ROOT
from tests.engine.stack import Stack

AZ = """#!{python}
import sys
from pathlib import Path
from apim_emulator.azure import Cloud

url = sys.argv[sys.argv.index("--url") + 1]
resource, _, action = url.partition("?")[0].rpartition("/")
cloud = Cloud(Path({store!r}))
if action == "regenerateKey":
    cloud.regenerate_key(resource, "key1" if "Key1" in sys.argv[sys.argv.index("--body") + 1] else "key2")
else:
    cloud.regenerate_subscription_key(resource, action.removeprefix("regenerate").removesuffix("Key").lower())
"""


def rotate(stack: Stack, *arguments: str) -> str:
    """What the command says, which succeeds."""
    (stack.folder / "az").write_text(AZ.format(python=sys.executable, store=str(stack.store)), encoding="utf-8")
    (stack.folder / "az").chmod(0o755)
    environment = {
        **stack.environment,
        "PATH": f"{stack.folder}{os.pathsep}{stack.environment['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "emulator" / "src")]),
    }
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "operations", "rotate", "--stack", stack.name, *arguments],
        cwd=stack.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    stack.said.append(done.stdout)
    return done.stdout


def subscription(stack: Stack) -> Subscription:
    """The stack's only subscription; the service has another one for all APIs."""
    (gateway,) = stack.cloud().gateways()
    (found,) = [one for one in gateway.subscriptions if one.id == "openai-callers"]
    return found


def keys(stack: Stack) -> set[str]:
    """All keys of the stack's account and subscription."""
    (account,) = stack.cloud().accounts()
    return {*account.keys, subscription(stack).primary_key, subscription(stack).secondary_key}


def test_every_key_is_replaced_and_shown_nowhere(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("key-key-vault-backend")
    stack.up("--skip-preview")
    before = keys(stack)

    assert "regenerate key1" in rotate(stack, "--dry-run")
    assert keys(stack) == before
    rotate(stack, "--yes", "--settle", "0")
    for key in ("secondary", "primary"):
        rotate(stack, "--yes", "--subscription", "all", "--key", key)

    after = keys(stack)
    (account,) = stack.cloud().accounts()
    (gateway,) = stack.cloud().gateways()
    assert (len(after), before & after) == (len(before), set())
    assert gateway.named_values["openai-api-key"] == account.keys[0]
    assert not [key for key in before | after if any(key in said for said in stack.said)]
    shown = stack.run("stack", "output", "openaiSubscriptionKey", "--show-secrets")
    assert shown.strip() == subscription(stack).primary_key
    stack.expect_no_changes()
