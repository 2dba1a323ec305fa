"""A query string that keeps unchanged parameters byte for byte."""

from collections.abc import Iterator
from urllib.parse import quote, unquote_plus


class Query:
    """Query parameters in order, each kept in the encoding that it arrived in."""

    __slots__ = ("_pieces",)

    def __init__(self, raw: str = "") -> None:
        """Split a raw query string without its question mark."""
        self._pieces = [piece for piece in raw.split("&") if piece] if raw else []

    def __str__(self) -> str:
        return "&".join(self._pieces)

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self._pieces)

    def names(self) -> list[str]:
        """List the decoded parameter names, in order, with repetitions."""
        return [_name(piece) for piece in self._pieces]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give each parameter's decoded name and value, in order."""
        for piece in self._pieces:
            yield _name(piece), unquote_plus(piece.partition("=")[2], errors="replace")

    def values(self, name: str) -> list[str]:
        """List a parameter's decoded values; names are compared without case, as .NET's query collections do."""
        wanted = name.lower()
        return [
            unquote_plus(piece.partition("=")[2], errors="replace")
            for piece in self._pieces
            if _name(piece).lower() == wanted
        ]

    def given(self, name: str) -> str | None:
        """Return the first value of a parameter, in the encoding in which it arrived; None where there is none."""
        wanted = name.lower()
        return next((piece.partition("=")[2] for piece in self._pieces if _name(piece).lower() == wanted), None)

    def add(self, name: str, value: str) -> None:
        """Append a parameter."""
        self._pieces.append(f"{quote(name, safe='')}={quote(value, safe='')}")

    def remove(self, name: str) -> None:
        """Drop every value of a parameter."""
        wanted = name.lower()
        self._pieces = [piece for piece in self._pieces if _name(piece).lower() != wanted]

    def copy(self) -> "Query":
        """Make an independent copy."""
        return Query(str(self))


def _name(piece: str) -> str:
    return unquote_plus(piece.partition("=")[0], errors="replace")
