"""How long a file of PKCS #12 takes to open, as far as it says so without being opened.

Its password is hashed as often as the file says: whoever chooses the file would choose how long that takes. Each such
number stands behind its salt (RFC 7292, 4 and C; RFC 8018, A).
"""

from collections.abc import Iterator

MAX_SIZE = 65_536
"""Bytes of the largest file that is read."""
_MOST_ROUNDS = 210_000
"""Of all of a file's hashes: some 50 ms. Windows and OpenSSL write about 2,000 for each of three, others 100,000."""
_OCTETS, _INTEGER = 0x04, 0x02


def is_cheap_to_open(data: bytes) -> bool:
    """Tell whether it asks for few rounds; what is too large or not DER is cheap, since it is refused at once."""
    return len(data) > MAX_SIZE or sum(_rounds(data, 0)) <= _MOST_ROUNDS


def _rounds(data: bytes, depth: int) -> Iterator[int]:
    """List the integers in DER that stand behind octets, also in what is wrapped in octets."""
    if depth > 16:
        return
    place = before = 0
    while place + 2 <= len(data):
        tag, length, start = data[place], data[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(data[start : start + size], "big"), start + size
            if size == 0:  # BER, which ends where its content says
                length = len(data) - start
        inner = data[start : start + length]
        if tag == _INTEGER and before == _OCTETS:
            yield int.from_bytes(inner, "big")
        elif tag & 0x20 or tag == _OCTETS:
            yield from _rounds(inner, depth + 1)
        place, before = start + length, tag
