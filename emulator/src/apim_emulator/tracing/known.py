"""Secrets that are known: the forms in which they may appear, found in one pass over a text."""

import base64
from collections import deque
from collections.abc import Iterable, Iterator
from math import inf
from urllib.parse import quote

SHORTEST_FOUND = 8
"""Characters of a secret that is only known by its name, from which on it is looked for elsewhere too."""
LONGEST_FORM = 256
"""Characters of a form that are looked for inside other text. Where a longer one begins, all that follows is hidden."""

_SHORTEST = 4
"""Characters of a secret from which on it is looked for inside other text; a shorter one only as the whole value."""
_SHORTEST_PIECE = 6
_SCANNED = 32
"""Characters that a search for one text in another reads in the time of one step of the pass."""

Place = tuple[int, int]
"""Where something secret begins in a text, and where it ends."""


class Budget:
    """How much work hiding secrets may be for one call, in characters that are looked at one by one.

    A caller decides how long a call's texts are and how many secrets are in them, and none may hold up the others.
    """

    def __init__(self, characters: float = inf) -> None:
        self._left = characters

    def is_spent(self) -> bool:
        """Whether there is no more; what is not masked by then must not be shown."""
        return self._left < 0

    def spend(self, characters: int) -> None:
        """Take note of work."""
        self._left -= characters

    def end(self) -> None:
        """Give up: there is more that would have to be hidden than is kept."""
        self._left = -1.0


class Known:
    """Secrets in every form in which they may appear."""

    def __init__(self, limit: int | None = None) -> None:
        """Know nothing yet. Of the forms that are learned, the last `limit` are kept."""
        self.version = 0
        """Grows with what is known."""
        self._forms: deque[str] = deque(maxlen=limit)
        self._whole: frozenset[str] = frozenset()
        self._joined = ""
        self._by_beginning: dict[str, list[str]] = {}
        """Forms in lower case, by their first characters, the longest first."""

    def add(self, secrets: Iterable[str]) -> bool:
        """Learn more secrets; tells whether any was new."""
        known = dict.fromkeys(form for secret in secrets if secret for form in _forms(secret))
        new = [form for form in known if form not in self._whole]
        if not new:
            return False
        self.version += 1
        self._forms.extend(new)
        self._whole = frozenset(self._forms)
        self._joined = "\0".join(self._forms)
        self._by_beginning = {}
        lowered = {form.lower()[:LONGEST_FORM] for form in self._forms if len(form) >= _SHORTEST}
        for form in sorted(lowered, key=len, reverse=True):
            self._by_beginning.setdefault(form[:_SHORTEST], []).append(form)
        return True

    def has(self, text: str, budget: Budget) -> bool:
        """Tell whether a text is a secret, or a piece of one."""
        if text in self._whole:
            return True
        if len(text) < _SHORTEST_PIECE:
            return False
        budget.spend(len(self._joined) // _SCANNED)
        return text in self._joined

    def places(self, lowered: str, budget: Budget) -> Iterator[Place]:
        """Find the secrets in a text in lower case."""
        if not self._by_beginning:
            return
        budget.spend(len(lowered))
        for start in range(len(lowered) - _SHORTEST + 1):
            forms = self._by_beginning.get(lowered[start : start + _SHORTEST])
            if forms is None:
                continue
            for form in forms:
                budget.spend(1)
                if lowered.startswith(form, start):
                    yield start, start + len(form) if len(form) < LONGEST_FORM else len(lowered)
                    break
            if budget.is_spent():
                return


def _forms(secret: str) -> Iterator[str]:
    """List how a secret may look elsewhere."""
    yield secret
    if len(secret) >= _SHORTEST:
        yield quote(secret, safe="")
        data = secret.encode("utf-8", "surrogateescape")
        yield base64.b64encode(data).decode()
        yield from _inside_base64(data)
        yield data.hex()
        yield data.hex("-")
        yield from (part for part in secret.split(".") if secret.startswith("eyJ") and len(part) > 8)


def _inside_base64(data: bytes) -> Iterator[str]:
    """List what is surely in the Base64 of a longer text with this one in it, at any place."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        whole = encoded[-(-before * 8 // 6) : len(encoded) - (1 if (before + len(data)) % 3 else 0)]
        if len(whole) >= SHORTEST_FOUND:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")
