"""Bodies that policies need whole: read with caps and timers, and without their content encoding."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from apim_emulator.gateway.failures import Failure, internal_error
from apim_emulator.gateway.http.transport import Content, Incoming

MAX_BODY = 64 * 1024 * 1024
"""Largest request body that is accepted, and largest response body that a policy may read, in bytes."""
IDLE = 60.0
"""Longest wait for the next part of a request body, in seconds of real time."""
SLOWEST = 240
"""Least bytes in a second of waiting for a request body, once `IDLE` seconds were waited (inferred)."""

CALLERS_FAULT = "ClientConnectionFailure"
"""Reason of what callers do wrong while they send a body."""

_MAX_CODINGS = 4
"""Content encodings of one body."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's window bits by content encoding."""


class TooLargeError(ValueError):
    """A body that is larger than what reads it takes."""


def at_hand(content: Content) -> bytes | None:
    """Take a body that has all arrived; None where some of it is still to come or it broke off."""
    if not content.is_eof():
        return None
    try:
        return content.read_nowait()
    except (web.RequestPayloadError, aiohttp.ClientError, OSError):
        return None


def request_at_hand(incoming: Incoming) -> bytes | None:
    """Take a request body of announced length that has all arrived and is not too large; None for any other."""
    length = incoming.content_length
    return None if length is None or length > MAX_BODY else at_hand(incoming.content)


async def request_chunks(incoming: Incoming) -> AsyncGenerator[bytes, None]:
    """Pass a request body on as it arrives.

    Raises `Failure`: 413 for a body above `MAX_BODY`, 408 for a caller who stops sending or sends slower than
    `SLOWEST`, 400 for one who breaks off (inferred: status codes).
    """
    size, waited, now = 0, 0.0, asyncio.get_running_loop().time
    chunks = aiter(incoming.content.iter_any())
    while True:
        started = now()
        try:
            async with asyncio.timeout(min(IDLE, IDLE + size / SLOWEST - waited)):
                chunk = await anext(chunks)
            waited += now() - started
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise too_slow() from None
        except (web.RequestPayloadError, aiohttp.ClientError, OSError):
            raise _refused(400, "Bad Request") from None
        size += len(chunk)
        if size > MAX_BODY:
            raise too_large()
        yield chunk


async def read_request(incoming: Incoming) -> bytes:
    """Read a request body; raises `Failure` as `request_chunks` does."""
    if (incoming.content_length or 0) > MAX_BODY:
        raise too_large()
    if (whole := request_at_hand(incoming)) is not None:
        return whole
    found = bytearray()
    async with aclosing(request_chunks(incoming)) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)


async def read_response(stream: AsyncIterable[bytes]) -> bytes:
    """Read a backend's body; raises `Failure` where it breaks off or is larger than `MAX_BODY`."""
    found = bytearray()
    try:
        async for chunk in stream:
            found += chunk
            if len(found) > MAX_BODY:
                raise internal_error("ResponseTooLarge", f"the body is larger than {MAX_BODY} bytes")
    except (aiohttp.ClientError, OSError) as error:
        raise internal_error("BackendConnectionFailure", f"the body broke off: {type(error).__name__}") from None
    return bytes(found)


async def in_blocks(stream: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Pass a body on in blocks of at least a size: what is smaller waits for the rest."""
    block = bytearray()
    async for chunk in stream:
        block += chunk
        if len(block) >= size:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def decoded(data: bytes, headers: CIMultiDict[str], limit: int = MAX_BODY) -> bytes:
    """Undo the content encoding.

    Raises `ValueError` for an unknown or broken one, and `TooLargeError` beyond `limit` bytes.
    """
    listed = [name.strip().lower() for value in headers.getall("Content-Encoding", []) for name in value.split(",")]
    codings = [name for name in listed if name not in {"", "identity"}]
    if len(codings) > _MAX_CODINGS:
        raise ValueError("too many content encodings")
    if len(data) > limit:
        raise TooLargeError(f"larger than {limit} bytes")
    for coding in reversed(codings):
        if coding not in _WINDOWS:
            raise ValueError("content encoding is not supported")
        inflate = zlib.decompressobj(_WINDOWS[coding])
        try:
            data = inflate.decompress(data, limit + 1)
        except zlib.error:
            raise ValueError("content encoding is broken") from None
        if len(data) > limit:
            raise TooLargeError(f"larger than {limit} bytes without its content encoding")
        if not inflate.eof:
            raise ValueError("content encoding is broken")
    return data


def too_slow() -> Failure:
    """Make the failure of a caller who does not send the body in time."""
    return _refused(408, "Request Timeout")


def too_large() -> Failure:
    """Make the failure of a caller who sends too large a body."""
    return _refused(413, "Payload Too Large")


def _refused(status: int, message: str) -> Failure:
    return Failure(status, message, CALLERS_FAULT, "transfer-request")
