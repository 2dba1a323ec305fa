"""Tells whoever installs the repository itself that it is a Pulumi program: a build backend that builds nothing."""

from typing import Never

_WHY = (
    "this repository is a Pulumi program, not a distribution: deploy it as README.md says; for programs of your own,"
    " docs/components.md says how to add its components; to test policies, pip install ./emulator"
)


def build_wheel(*_: object) -> Never:
    """Refuse to build."""
    raise SystemExit(_WHY)


build_sdist = build_editable = build_wheel
