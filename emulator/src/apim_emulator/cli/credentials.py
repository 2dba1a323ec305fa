"""What the command line gives of certificates, and of credential manager."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from apim_emulator.cli.documents import pairs
from apim_emulator.csharp.runtime.certificates import Certificate as Read
from apim_emulator.csharp.runtime.certificates import CertificateError, read_certificate
from apim_emulator.errors import EmulatorError
from apim_emulator.files import read_file
from apim_emulator.model import Certificate, Connection, Gateway


class Credentials:
    """Certificates and connections of a service that is served, and the certificate of its callers."""

    def __init__(
        self,
        certificates: Sequence[str] = (),
        authorities: Sequence[Path] = (),
        caller: Path | None = None,
        connections: Sequence[str] = (),
    ) -> None:
        """Read the files that the options name; raises `EmulatorError`."""
        found = {
            name: _certificate("--certificate", Path(file))
            for name, file in pairs("--certificate", certificates).items()
        }
        self._certificates = tuple(Certificate(id=name, data=data) for name, data in found.items())
        self._authorities = tuple(_certificate("--ca-certificate", path) for path in authorities)
        self._connections = tuple(
            _connection(name, Path(file)) for name, file in pairs("--connection", connections).items()
        )
        self.caller: Read | None = None
        """What every caller presents: the emulator is called without TLS."""
        if caller is not None:
            self.caller = replace(read_certificate(_certificate("--client-certificate", caller)), private_key=None)

    def applied(self, gateway: Gateway) -> Gateway:
        """Give a service what the options say."""
        return replace(
            gateway, certificates=self._certificates, ca_certificates=self._authorities, connections=self._connections
        )


def _certificate(option: str, path: Path) -> bytes:
    data = read_file(path)
    try:
        read_certificate(data)
    except CertificateError as error:
        raise EmulatorError(f"{option} {path}: {error}; give PEM, or PKCS #12 without a password") from None
    return data


def _connection(name: str, path: Path) -> Connection:
    provider, slash, own = name.partition("/")
    if not (provider and slash and own):
        raise EmulatorError(f"--connection {name}: must be PROVIDER/CONNECTION=FILE")
    token = read_file(path).decode("utf-8-sig", "replace").strip()
    if not token:
        raise EmulatorError(f"--connection {name}: {path} is empty; put the access token into it")
    return Connection(provider_id=provider, id=own, access_token=token)
