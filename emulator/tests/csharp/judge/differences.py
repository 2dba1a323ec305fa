"""Where Mono and its Json.NET 6 are known to differ from .NET, or what is right here is not what Mono can tell."""

import re

DIFFERENCES = {
    r"Math\.Round\(": ("Mono rounds halves away from zero; the page Math.Round documents the even number"),
    r"DeserializeObject\(.*\\\"a\\\":1,\\\"a\\\":2": (
        "Json.NET 6 throws for two properties of a name; later ones let the last win, as in JObject.Parse"
    ),
    r"GetCertHash(String)?\((new )?HashAlgorithmName": "Mono throws PlatformNotSupportedException for this overload",
    r"\.Verify(Data|Hash)\(": "Mono throws its own exceptions for a signature or a hash of a wrong length",
    r" is (?P<type>\w+) n \? n": "mcs knows the variable of a pattern only where a test can fail; C# 7 always does",
    r"(?P<type>\w+\?) a = null; return a is (?P=type);": "mcs takes null for a value of its own nullable type",
    r"return a is DayOfWeek;": "mcs takes no enumeration for itself",
    r"X509Certificate\).* r\.Dispose\(\)": "a certificate can be read after Dispose() here, since calls share it",
}
"""Reasons by a pattern of the expressions that they excuse."""


def mono_differs(text: str) -> str | None:
    """Give the reason why an expression may give something else than Mono says."""
    return next((reason for pattern, reason in DIFFERENCES.items() if re.search(pattern, text)), None)
