"""Tests of policy documents in milliseconds and without sockets; see docs/testing-policies.md.

A name's module is loaded when the name is first asked for: pytest loads the plugin beside them in every run, also
where nobody tests a policy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apim_emulator.testing.bench import PolicyBench, identity_token
    from apim_emulator.testing.certificates import CertificateAuthority, IssuedCertificate
    from apim_emulator.testing.tokens import EntraTenant, TokenIssuer
    from apim_emulator.testing.values import BackendFunction, Reply, Request, Response, event_stream

__all__ = [
    "BackendFunction",
    "CertificateAuthority",
    "EntraTenant",
    "IssuedCertificate",
    "PolicyBench",
    "Reply",
    "Request",
    "Response",
    "TokenIssuer",
    "event_stream",
    "identity_token",
]

_MODULES = {
    "CertificateAuthority": "certificates",
    "EntraTenant": "tokens",
    "IssuedCertificate": "certificates",
    "PolicyBench": "bench",
    "TokenIssuer": "tokens",
    "identity_token": "bench",
}
"""Where a name is that is not in `values`."""


def __getattr__(name: str) -> Any:
    """Load the module of a public name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'values')}"), name)
