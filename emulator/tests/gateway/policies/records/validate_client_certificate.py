from typing import Any

from apim_emulator.testing import CertificateAuthority
from emulator.tests.gateway.policies.attributes import literal
from emulator.tests.gateway.policies.record import Call, Example, FailedCall, Record, Scenario, sends
from emulator.tests.gateway.policies.scenarios import outcome

CONTOSO = CertificateAuthority("CN=Contoso CA")
_CLIENT, _OTHER = CONTOSO.issue("CN=client"), CertificateAuthority("CN=Other CA").issue("CN=client")
_YEARS_TO_2033 = 288_100_000
_LISTED = '<validate-client-certificate id="me"><identities><identity {}/></identities></validate-client-certificate>'


def refused(reason: str, detail: str, certificate: bytes | None = _CLIENT.pem, **how: Any) -> FailedCall:
    message, call = "Invalid client certificate", sends(certificate=certificate)
    return FailedCall(status=401, message=message, reason=reason, detail=detail, call=call, **how)


RECORD = Record(
    "validate-client-certificate",
    Example(
        '<validate-client-certificate id="me"/>',
        bench={"ca_certificates": (CONTOSO.pem,)},
        call=sends(certificate=_CLIENT.pem),
    ),
    attributes={
        "validate-revocation": literal("false"),
        "validate-trust": literal("true"),
        "validate-not-before": literal("true"),
        "validate-not-after": literal("true"),
        "ignore-error": literal("false"),
    },
    works=Scenario(outcome, (Call((200, ["backend"])), Call((401, []), sends=sends(certificate=_OTHER.pem)))),
    fails={
        "absent": refused("CertificateNotPresent", "Client certificate is not present.", None),
        "not trusted": refused(
            "CertificateNotTrusted", "Client certificate does not lead to a trusted authority.", _OTHER.pem
        ),
        "expired": refused(
            "CertificateExpired", "Client certificate has expired.", CONTOSO.issue("CN=client", days=10).pem
        ),
        "not listed": refused(
            "CertificateNotAllowed",
            "Client certificate is not one of those that are allowed.",
            element=_LISTED.format('common-name="somebody"'),
        ),
    },
    clock={
        "accepted until it expires": Scenario(
            outcome, (Call((200, ["backend"])), Call((401, []), at=_YEARS_TO_2033))
        )
    },
)  # fmt: skip
