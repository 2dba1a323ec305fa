"""`authentication-certificate`: the gateway presents a client certificate to the backend."""

from collections.abc import Callable

from apim_emulator.csharp import Type
from apim_emulator.csharp.runtime.certificates import Certificate, CertificateError, read_certificate
from apim_emulator.csharp.runtime.der import is_cheap_to_open
from apim_emulator.csharp.runtime.values import Array
from apim_emulator.gateway.certificates import no_certificate
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.mistakes import refuse
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.witness import note

Find = Callable[[Context], Certificate | None]
_PLACES = ("thumbprint", "certificate-id", "body")


class ClientCertificate:
    """The certificate that one `authentication-certificate` names.

    One that the service lacks is refused when it saves the document, in words such as "Certificate with thumbprint
    '...' could not be resolved" (MLogdberg/APIManagementARMTemplateCreator, issue 63). What becomes of a call whose
    expression names none is inferred.
    """

    def __init__(self, element: Element, site: Site) -> None:
        """Read the policy; raises `RefusedError`."""
        given = [name for name in _PLACES if element.has(name)]
        if len(given) != 1:
            element.refuse(f"needs exactly one of {', '.join(_PLACES)}")
        if element.has("password") and "body" not in given:
            element.refuse("belongs to body; a certificate of the service needs none", "password")
        password = element.optional_text("password")
        self._find: Find = lambda _: None
        if "body" in given:
            body = element.any_value("body")
            if not element.computed("body"):
                element.refuse("must be an expression that gives byte[]", "body")
            self._find = lambda context: _opened(body(context), None if password is None else password(context))
        elif given:
            self._find = _kept(element, site, given[0])

    def of(self, exchange: Exchange) -> Certificate:
        """Return the certificate for a call; raises `Failure` where there is none that can be presented."""
        found = self._find(exchange.context)
        if found is None:
            raise internal_error("CertificateNotFound", "the service has no such certificate")
        if found.private_key is None:
            raise internal_error("CertificateNotFound", "the certificate has no private key, and cannot be presented")
        return found


def _kept(element: Element, site: Site, place: str) -> Find:
    name, store = element.text(place), site.certificates

    def find(text: str) -> Certificate | None:
        return store.find(thumbprint=text) if place == "thumbprint" else store.find(identifier=text)

    if not element.computed(place) and find(element.node.attributes[place]) is None:
        refuse(no_certificate(element.node, place))
    return lambda context: find(name(context))


def _opened(body: object, password: str | None) -> Certificate:
    data = bytes(body) if isinstance(body, Array) and body.element == Type.BYTE else b""
    try:
        if is_cheap_to_open(data):
            return read_certificate(data, password)
    except CertificateError:
        pass
    raise internal_error("CertificateNotFound", "body is no certificate that its password opens")


def _compile(element: Element, site: Site) -> Run:
    certificate = ClientCertificate(element, site)

    async def run(exchange: Exchange) -> None:
        exchange.certificate = found = certificate.of(exchange)
        note("presents {} to backends with https", found.x509.subject.rfc4514_string())

    return run


POLICY = Policy("authentication-certificate", _compile, sections=("inbound",))
