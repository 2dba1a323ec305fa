"""Certificates of a service and of its callers, in policies that read them."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from apim_emulator.csharp.runtime.certificates import read_certificate
from apim_emulator.gateway import certificates
from apim_emulator.gateway.certificates import Store, Trust
from apim_emulator.gateway.failures import PolicyLoadError
from apim_emulator.model import Certificate
from apim_emulator.testing import CertificateAuthority, IssuedCertificate, PolicyBench

ROOT = CertificateAuthority("CN=Root")
CLIENT = ROOT.issue("CN=client, O=Contoso", dns_names=["client.test"])


def kept(issued: IssuedCertificate, name: str = "client") -> Certificate:
    return Certificate(id=name, data=issued.pem_with_key)


def reading(expression: str, **service: Any) -> PolicyBench:
    value = expression.replace('"', "&quot;").replace("<", "&lt;").replace("&&", "&amp;&amp;").replace("=>", "=&gt;")
    return PolicyBench(
        f'<policies><inbound><set-variable name="found" value="{value}" /></inbound></policies>', **service
    )


def test_caller_without_a_certificate_has_none() -> None:
    found = reading("@(context.Request.Certificate == null)").get()

    assert found.variables["found"] is True


def test_certificate_of_the_caller_is_read() -> None:
    bench = reading("@(context.Request.Certificate.Subject + context.Request.Certificate.Thumbprint)")

    assert bench.get(certificate=CLIENT.pem).variables["found"] == f"CN=client, O=Contoso{CLIENT.thumbprint}"


def test_private_key_that_a_caller_is_given_with_stays_with_the_caller() -> None:
    bench = reading("@(context.Request.Certificate.HasPrivateKey)")

    assert bench.get(certificate=CLIENT.pem_with_key).variables["found"] is False


def test_thumbprint_of_the_caller_is_looked_for_among_those_of_the_service() -> None:
    known = "context.Deployment.Certificates.Any(c => c.Value.Thumbprint == context.Request.Certificate.Thumbprint)"
    bench = reading(f"@({known})", certificates=(kept(CLIENT),))

    assert bench.get(certificate=CLIENT.pem).variables["found"] is True
    assert bench.get(certificate=ROOT.issue("CN=other").pem).variables["found"] is False


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Certificates.Count", 1),
        ("Certificates.Keys.First()", CLIENT.thumbprint),
        ("Certificates.Values.First().Issuer", "CN=Root"),
        (f'Certificates.ContainsKey("{CLIENT.thumbprint}")', True),
        ('Certificates.ContainsKey("client")', False),
        (f'Certificates["{CLIENT.thumbprint}"].HasPrivateKey', True),
        ('Certificates.First(c => c.Value.SubjectName.Name.StartsWith("CN=client")).Key', CLIENT.thumbprint),
    ],
    ids=map(str, count(1)),  # each run makes certificates of its own
)
def test_certificates_of_the_service_are_kept_by_thumbprint(expression: str, found: object) -> None:
    bench = reading(f"@(context.Deployment.{expression})", certificates=(kept(CLIENT),))

    assert bench.get().variables["found"] == found


def test_certificate_that_the_service_lacks_is_no_key() -> None:
    tried = 'context.Deployment.Certificates.TryGetValue("AB", out X509Certificate2 c) ? c.Subject : "none"'
    bench = reading(f"@({tried})", certificates=(kept(CLIENT),))
    indexed = reading('@(context.Deployment.Certificates["client"].Subject)', certificates=(kept(CLIENT),))

    assert bench.get().variables["found"] == "none"
    assert indexed.get().error is not None


INTERMEDIATE = CertificateAuthority("CN=Intermediate", issuer=ROOT)


def trust(*authorities: IssuedCertificate, now: float = 1_700_000_000.0) -> Any:
    found = Trust(Store(authorities=tuple(one.certificate for one in authorities)), lambda: now)

    return lambda *chain: found.accepts(read_certificate(b"".join(one.pem for one in chain)))


def test_certificate_of_a_trusted_root_is_valid() -> None:
    assert trust(ROOT)(CLIENT)


def test_certificate_of_no_trusted_root_is_not_valid() -> None:
    assert not trust()(CLIENT)
    assert not trust(CertificateAuthority("CN=Another"))(CLIENT)


def test_root_of_the_same_name_and_another_key_vouches_for_nobody() -> None:
    impostor = CertificateAuthority("CN=Root", issuer=CertificateAuthority("CN=Impostor"))
    impostor._key = CertificateAuthority("CN=Impostor")._key

    assert not trust(ROOT)(impostor.issue("CN=leaf"))
    assert not trust(ROOT)(impostor.issue("CN=leaf"), impostor)


def test_certificate_by_an_intermediate_needs_it() -> None:
    leaf = INTERMEDIATE.issue("CN=leaf")

    assert not trust(ROOT)(leaf)
    assert trust(ROOT)(leaf, INTERMEDIATE)
    assert trust(ROOT, INTERMEDIATE)(leaf)
    assert not trust(INTERMEDIATE)(leaf)


def test_certificate_that_is_no_authority_vouches_for_nobody() -> None:
    pretender = CertificateAuthority("CN=client, O=Contoso")
    pretender.certificate = CLIENT.certificate

    assert not trust(ROOT)(pretender.issue("CN=leaf"), CLIENT)


def limited(name: str, issuer: CertificateAuthority, *, below: int | None = None, signs: bool = True) -> Any:
    """Issue an authority's certificate that says what it may sign."""
    found = CertificateAuthority(name, issuer=issuer)
    own = found.certificate
    usage = dict.fromkeys(
        (
            "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
            "encipher_only", "decipher_only",
        ), False,
    )  # fmt: skip
    found.certificate = (
        x509.CertificateBuilder(own.issuer, own.subject, own.public_key(), own.serial_number)
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **usage), critical=True)
        .sign(issuer._key, SHA256())
    )
    return found


def test_authority_vouches_for_no_more_authorities_than_it_may() -> None:
    upper = limited("CN=Upper", ROOT, below=0)
    lower = CertificateAuthority("CN=Lower", issuer=upper)

    assert trust(ROOT)(upper.issue("CN=leaf"), upper)
    assert not trust(ROOT)(lower.issue("CN=leaf"), lower, upper)


@pytest.mark.parametrize("signs", [True, False])
def test_authority_whose_key_is_not_for_certificates_vouches_for_nobody(signs: bool) -> None:
    own = limited("CN=Own", ROOT, signs=signs)

    assert trust(ROOT)(own.issue("CN=leaf"), own) is signs


@pytest.mark.parametrize(("days", "valid"), [(10, False), (3650, True)])
def test_certificate_is_valid_while_its_dates_say_so(days: int, valid: bool) -> None:
    assert trust(ROOT)(ROOT.issue("CN=dated", days=days)) is valid


def test_certificate_is_not_valid_before_its_time() -> None:
    later = ROOT.issue("CN=dated", start=datetime(2024, 1, 1, tzinfo=UTC))

    assert not trust(ROOT)(later)
    assert trust(ROOT, now=datetime(2024, 2, 1, tzinfo=UTC).timestamp())(later)


def test_chain_is_looked_at_up_to_a_length() -> None:
    chain: list[Any] = [ROOT]
    for number in range(10):
        chain.append(CertificateAuthority(f"CN=Level {number}", issuer=chain[-1]))

    assert trust(ROOT)(*reversed(chain[1:9]))
    assert not trust(ROOT)(*reversed(chain[1:]))


def test_authorities_that_vouch_for_each_other_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"CN=Level {number}" for number in range(4)]
    made = {name: CertificateAuthority(name) for name in names}
    crossed = [CertificateAuthority(one, issuer=made[other]) for one in names for other in names if one != other]
    checked: list[str] = []
    original = certificates._may_issue

    def counted(one: x509.Certificate, below: int) -> bool:
        checked.append("")
        return original(one, below)

    monkeypatch.setattr(certificates, "_may_issue", counted)

    assert not trust(ROOT, *crossed)(made[names[0]].issue("CN=leaf"))
    assert len(checked) < len(crossed) ** 2


@pytest.mark.parametrize("method", ["Verify", "VerifyNoRevocation"])
def test_certificate_is_verified_at_the_time_of_the_bench(method: str) -> None:
    bench = reading(f"@(context.Request.Certificate.{method}())", ca_certificates=(ROOT.pem,))
    short = ROOT.issue("CN=short", start=datetime(2023, 11, 14, tzinfo=UTC), days=2)

    before = bench.get(certificate=short.pem).variables["found"]
    bench.clock.advance(3 * 86_400)

    assert (before, bench.get(certificate=short.pem).variables["found"]) == (True, False)


def test_certificate_from_a_header_is_verified_too() -> None:
    made = (
        'new X509Certificate2(Convert.FromBase64String(context.Request.Headers.GetValueOrDefault("X-ARR-ClientCert")))'
    )
    bench = reading(f"@({made}.VerifyNoRevocation())", ca_certificates=(ROOT.pem,))
    body = "".join(CLIENT.pem.decode().splitlines()[1:-1])

    assert bench.get(headers={"X-ARR-ClientCert": body}).variables["found"] is True


def test_certificate_that_cannot_be_read_is_named_when_the_service_is_loaded() -> None:
    wrong = (Certificate(id="broken", data=b"hello"), Certificate(id="locked", data=CLIENT.pem_with_key, password="x"))

    with pytest.raises(PolicyLoadError) as refused:
        reading("@(true)", certificates=wrong, ca_certificates=(b"none",))

    assert [problem.document for problem in refused.value.problems] == [
        "certificate broken", "certificate locked", "CA certificate 1",
    ]  # fmt: skip
    assert "hello" not in str(refused.value)


def test_certificates_of_a_service_are_in_no_text_of_it() -> None:
    assert "PRIVATE" not in repr(kept(CLIENT))
    assert "data" not in repr(kept(CLIENT))


def test_private_key_is_in_no_trace() -> None:
    bench = reading("@(context.Deployment.Certificates.First().Value)", certificates=(kept(CLIENT),))
    response = bench.get(certificate=CLIENT.pem_with_key)
    secret = "".join(CLIENT.pem_with_key.removeprefix(CLIENT.pem).decode().splitlines()[1:2])

    assert secret not in str(response.trace)
    assert secret not in repr(response)
