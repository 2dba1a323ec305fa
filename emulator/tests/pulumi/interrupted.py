"""A stack whose update was interrupted, and an engine that only notes what it is asked."""

import json
import os
import socket
from pathlib import Path

ENDED = 2**22 + 1
"""More than any process ID of Linux."""


def lock(folder: Path, content: str, stack: str = "sandbox") -> None:
    path = folder / f".pulumi/locks/organization/openai-gateway/{stack}/1.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def held_by(pid: int, host: str = "") -> str:
    return json.dumps({"pid": pid, "hostname": host or socket.gethostname()})


def noting_engine(tmp_path: Path) -> dict[str, str]:
    """Environment with an engine that notes its arguments, and fails where there is a file `broken`."""
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(f"#!/bin/sh\ncd {tmp_path}\necho $1 >> said\nif [ -e broken ]; then echo no >&2; exit 1; fi\n")
    engine.chmod(0o755)
    return {
        "PATH": f"{engine.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}?metadata=skip",
    }
