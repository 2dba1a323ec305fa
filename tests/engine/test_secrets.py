from collections.abc import Callable
from pathlib import Path

from tests.engine.stack import Stack


def test_no_secret_is_in_the_clear_in_the_state_or_in_any_output(new_stack: Callable[[str], Stack]) -> None:
    stack = new_stack("key-key-vault-header")
    secrets: set[str] = set()
    for mode in ("key-key-vault-header", "key-named-value-backend", "entra-key", "identity-semantic-cache"):
        stack.configure(mode)
        stack.run("preview", "--diff")
        stack.up("--diff", "--show-full-output=true")
        secrets |= stack.secrets()
        stack.run("refresh", "--yes", "--diff")
        stack.run("stack", "export")
        stack.run("stack", "output", "--json")
    stack.run("destroy", "--yes", "--diff")

    assert len(secrets) >= 4
    said = "\n".join(stack.said)
    files = {path: path.read_bytes() for path in _written(stack.folder)}
    assert files
    for secret in secrets:
        assert secret not in said
        assert [path for path, content in files.items() if secret.encode() in content] == []


def test_the_secret_is_what_the_state_has_encrypted(stack: Stack) -> None:
    shown = stack.run("stack", "output", "openaiSubscriptionKey", "--show-secrets").strip()

    assert shown in stack.secrets()


def _written(folder: Path) -> list[Path]:
    """Everything that the engine wrote: state, history, backups, config, logs; not the cloud's own file."""
    state = [path for path in (folder / ".sandbox").rglob("*") if not path.name.startswith("cloud.db")]
    return [path for path in [*state, *folder.glob("Pulumi.*.yaml")] if path.is_file()]
