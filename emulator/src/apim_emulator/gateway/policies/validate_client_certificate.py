"""`validate-client-certificate`: accepts only calls with a client certificate that is valid and one of those listed."""

from collections.abc import Callable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA1

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.csharp.runtime.distinguished_names import common_name, is_name
from apim_emulator.gateway.certificates import Trust, has_begun, has_not_ended, no_certificate
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Failure
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.mistakes import refuse
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

_MOST = 10
"""Identities that one policy may list (validate-client-certificate.xsd)."""

Check = Callable[[Certificate, Trust], bool]
"""Whether a certificate is as one attribute of an `identity` says; how texts are compared is inferred."""


def _thumbprint(text: str) -> Check:
    return lambda found, _: found.thumbprint == _plain(text)


def _serial_number(text: str) -> Check:
    wanted = _plain(text).lstrip("0")
    return lambda found, _: found.serial.hex().upper().lstrip("0") == wanted


def _common_name(text: str) -> Check:
    return lambda found, _: common_name(found.x509.subject) == text


def _subject(text: str) -> Check:
    return lambda found, _: is_name(text, found.x509.subject)


def _dns_name(text: str) -> Check:
    return lambda found, _: text.lower() in map(str.lower, found.dns_names)


def _issuer_subject(text: str) -> Check:
    return lambda found, _: is_name(text, found.x509.issuer)


def _issuer_thumbprint(text: str) -> Check:
    def check(found: Certificate, trust: Trust) -> bool:
        issuer = trust.issuer(found)
        return issuer is not None and issuer.fingerprint(SHA1()).hex().upper() == _plain(text)  # noqa: S303

    return check


_CHECKS: dict[str, Callable[[str], Check]] = {
    "thumbprint": _thumbprint,
    "serial-number": _serial_number,
    "common-name": _common_name,
    "subject": _subject,
    "dns-name": _dns_name,
    "issuer-subject": _issuer_subject,
    "issuer-thumbprint": _issuer_thumbprint,
}
_FLAGS = ("validate-revocation", "validate-trust", "validate-not-before", "validate-not-after")


def _plain(text: str) -> str:
    return "".join(text.split()).upper()


def _compile(element: Element, site: Site) -> Run:
    # Nobody can be asked what was revoked: nothing was (approximate).
    _, trust, begun, ended = (element.flag(name, default=True) for name in _FLAGS)
    ignore_error = element.flag("ignore-error", default=False)
    container = element.child("identities")
    listed = [] if container is None else _identities(container, site)

    async def run(exchange: Exchange) -> None:
        """Refuse the call with 401; status, reasons and words are inferred, since nothing documents them."""
        wrong = what_is_wrong(exchange)
        found = exchange.context.request.certificate
        if found is not None:
            note("the caller presents {}", found.x509.subject.rfc4514_string())
        if wrong is not None and not ignore_error:
            raise Failure(401, "Invalid client certificate", wrong[0], detail=wrong[1])
        if wrong is not None:
            note("ignored: {}", wrong[1])

    def what_is_wrong(exchange: Exchange) -> tuple[str, str] | None:
        found, judge, now = exchange.context.request.certificate, exchange.services.trust, exchange.services.clock.now()
        if found is None:
            return ("CertificateNotPresent", "Client certificate is not present.")
        if begun and not has_begun(found.x509, now):
            return ("CertificateNotYetValid", "Client certificate is not valid yet.")
        if ended and not has_not_ended(found.x509, now):
            return ("CertificateExpired", "Client certificate has expired.")
        if trust and not judge.leads_to_root(found):
            return ("CertificateNotTrusted", "Client certificate does not lead to a trusted authority.")
        if listed and not any(all(check(found, judge) for check in checks) for checks in listed):
            return ("CertificateNotAllowed", "Client certificate is not one of those that are allowed.")
        return None

    return run


def _identities(container: Node, site: Site) -> list[list[Check]]:
    element = Element(container)
    nodes = element.children("identity")
    element.done()
    if not 1 <= len(nodes) <= _MOST:
        container.refuse(f"needs 1 to {_MOST} identity")
    return [_identity(Element(node), site) for node in nodes]


def _identity(element: Element, site: Site) -> list[Check]:
    found = {name: text for name in _CHECKS if (text := element.literal(name)) is not None}
    checks = [_CHECKS[name](text) for name, text in found.items()]
    issuer_id = element.literal("issuer-certificate-id")
    if issuer_id is not None:
        if {"issuer-subject", "issuer-thumbprint"} & found.keys():
            element.refuse("excludes the other attributes of the issuer", "issuer-certificate-id")
        checks.append(_issued_by(element, site, issuer_id))
    element.done()
    if not checks:
        element.refuse(
            f"what it accepts without an attribute is not documented; give at least one of {', '.join(_CHECKS)}",
            kind="unsupported",
        )
    return checks


def _issued_by(element: Element, site: Site, identifier: str) -> Check:
    issuer = site.certificates.find(identifier=identifier)
    if issuer is None:
        refuse(no_certificate(element.node, "issuer-certificate-id"))
    return lambda found, _: issuer is not None and _is_signed_by(found.x509, issuer.x509)


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


POLICY = Policy("validate-client-certificate", _compile, sections=("inbound",))
