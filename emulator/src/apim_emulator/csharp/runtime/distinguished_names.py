"""Distinguished names as Windows writes them: `X500DistinguishedName.Name` (wincrypt, `CertNameToStr`)."""

from cryptography import x509

from apim_emulator.csharp.runtime.exceptions import unsure

_KEYS = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "G",
    "2.5.4.43": "I",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}
"""What Windows calls an attribute, `S` for a state among them; how .NET writes all others is not sure."""
_SPECIAL = frozenset(',+="\n<>#;')


def written(name: x509.Name) -> str:
    """Write a name, its last part first: `CN=client, O="Contoso, Inc.", C=US`."""
    return ", ".join(" + ".join(map(_attribute, part)) for part in reversed(list(name.rdns)))


def _attribute(attribute: x509.NameAttribute[str | bytes]) -> str:
    key, value = _KEYS.get(attribute.oid.dotted_string), attribute.value
    if key is None or not isinstance(value, str):
        raise unsure(f"the text of a name with {attribute.oid.dotted_string}")
    return f"{key}={_quoted(value)}"


def _quoted(value: str) -> str:
    plain = value and not _SPECIAL.intersection(value) and value == value.strip(" \t\r\n")
    return value if plain else '"' + value.replace('"', '""') + '"'


def common_name(name: x509.Name) -> str | None:
    """Find the value of `CN`; of several the first (inferred)."""
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else None
