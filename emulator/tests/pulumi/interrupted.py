"""A stack whose update was interrupted, and an engine that only notes what it is asked."""

import json
import os
import socket
from pathlib import Path
from typing import Any

ENDED = 2**22 + 1
"""More than any process ID of Linux."""


def lock(folder: Path, content: str, stack: str = "sandbox", name: str = "1.json") -> None:
    path = folder / f".pulumi/locks/organization/openai-gateway/{stack}/{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def state(folder: Path, resources: list[dict[str, Any]], pending: list[dict[str, Any]]) -> None:
    """Write the state of the stack `sandbox` with resources, and operations whose end is not known."""
    latest = {"resources": resources, "pending_operations": pending}
    path = folder / ".pulumi/stacks/openai-gateway/sandbox.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "sandbox", "latest": latest}}))
    (folder / "exported.json").write_text(json.dumps({"version": 3, "deployment": latest}))


def held_by(pid: int, host: str = "") -> str:
    return json.dumps({"pid": pid, "hostname": host or socket.gethostname()})


_ENGINE = """\
#!/bin/sh
cd {folder}
echo $1 >> said
if [ -e broken ]; then echo no >&2; exit 1; fi
case "$1 $2" in
  "stack export") cat exported.json ;;
  "stack import") cat > imported.json ;;
esac
"""


def noting_engine(tmp_path: Path) -> dict[str, str]:
    """Environment with an engine that notes its arguments, and fails where there is a file `broken`.

    It exports the stack that `exported.json` has, and imports one into `imported.json`.
    """
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(_ENGINE.format(folder=tmp_path))
    engine.chmod(0o755)
    return {
        "PATH": f"{engine.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}?metadata=skip",
    }
