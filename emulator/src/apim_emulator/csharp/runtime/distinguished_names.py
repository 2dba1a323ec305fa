"""Distinguished names as Windows writes them: `X500DistinguishedName.Name` (wincrypt, `CertNameToStr`)."""

import re

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


_PART = re.compile(r'\s*(?P<key>[A-Za-z0-9.]+)\s*=\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^",;+]*))\s*(?:[,;+]|$)')
_ALIASES = {"ST": "S", "EMAIL": "E", "EMAILADDRESS": "E", "TITLE": "T", "GN": "G", "GIVENNAME": "G", "SURNAME": "SN"}
"""Other keys that Windows reads (wincrypt, `CertStrToName`)."""


def parsed(text: str) -> list[tuple[str, str]] | None:
    """Read a name such as `C=US, O="Contoso, Inc.", CN=client`; None where it is none."""
    found, place = [], 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            return None
        key = part["key"].upper().removeprefix("OID.")
        value = part["plain"].strip() if part["quoted"] is None else part["quoted"].replace('""', '"')
        found.append((_ALIASES.get(key, key), value))
        place = part.end()
    return found or None


def is_name(text: str, name: x509.Name) -> bool:
    """Tell whether a text is a name, whichever part comes first: Microsoft's example begins with the country."""
    own = [
        (_KEYS.get(one.oid.dotted_string, one.oid.dotted_string), str(one.value)) for part in name.rdns for one in part
    ]
    return parsed(text) in (own, own[::-1])
