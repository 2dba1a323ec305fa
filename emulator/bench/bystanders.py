"""Measure what one caller's attack costs everybody else: `python -m emulator.bench.bystanders [--before CHECKOUT]`.

Each attack has a gateway of its own, whose traces are kept. One connection attacks without a pause; another one, the
bystander, makes a small call every 10 ms, and what it waits counts from the moment at which its call was due. With
`--before`, the root of another checkout of this repository, the same attacks are made on that version in turn.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
EVERY = 0.01
"""Seconds between two calls of the bystander."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A request that is cheap to send."""

    path: str
    method: str = "GET"
    headers: tuple[str, ...] = ()
    body: bytes = b""

    def sent(self) -> bytes:
        """Write it as it travels."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", *self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def _body(name: str, body: str | bytes, *headers: str, path: str = "") -> Attack:
    data = body.encode() if isinstance(body, str) else body
    return Attack(method="POST", path=f"/{name}{path}", headers=headers, body=data)


def _words(count: int) -> str:
    return " ".join(f"word{number:05}" for number in range(count))


JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
EMBEDDINGS = "/deployments/embed/embeddings?api-version=2024-10-21"
ATTACKS: dict[str, Callable[[], Attack]] = {
    "trace: 4,000 times `sig` in a query": lambda: Attack(path="/nope?" + "&".join(["sig"] * 4_000)),
    "trace: 2,000 words of a credential, 700 pieces of a query": lambda: Attack(
        path="/query?" + "&".join(f"q{number:05}" for number in range(700)),
        headers=(f"Authorization: {_words(2_000)}",),
    ),
    "prompt: 9 kB of gzip that hold 3,000,000 pairs of braces": lambda: _body(
        "prompts", gzip.compress(b'{"messages":[' + b"{}," * 3_000_000 + b"{}]}"), JSON, "Content-Encoding: gzip"
    ),
    "int.TryParse of 16,000 zeros": lambda: _body("int.TryParse", "0" * 16_000 + "x"),
    "double.TryParse of 16,000 blanks": lambda: _body("double.TryParse", " " * 16_000 + "x"),
    "a form of 4,000 names": lambda: _body("form", "&".join(f"n{number}=v" for number in range(4_000)), FORM),
    "a query of 2,000 names": lambda: Attack(path="/query?" + "&".join(f"n{number}=v" for number in range(2_000))),
    "indexing 20,000 characters outside ASCII": lambda: _body("index", "é" * 20_000),
    "LastIndexOf in 1 MB": lambda: Attack(path="/LastIndexOf"),
    "List.IndexOf, 30,000 times": lambda: Attack(path="/List.IndexOf"),
    "Select(Substring) of 1 MB, 4,000 times": lambda: Attack(path="/Substring"),
    "OrderBy of 1,500 texts of 1 MB": lambda: Attack(path="/OrderBy"),
    "string.Format with 1,000 holes of 1 MB": lambda: Attack(path="/Format"),
    "130,000 JSON numbers": lambda: _body("json", f"[{'1,' * 129_999}1]"),
    "1 MB of JSON numbers": lambda: _body("json", f"[{'1,' * 499_999}1]"),
    "400,000 matches of a Regex": lambda: Attack(path="/matches"),
    "a loop of 100,000,000 rounds": lambda: Attack(path="/loop"),
    "Regex `^(a+)+$`": lambda: _body("Regex", "a" * 40 + "b"),
    "a backend that is the gateway itself": lambda: Attack(path="/itself"),
    "2,048 embeddings": lambda: _body(
        "openai", json.dumps({"input": ["to be or not to be"] * 2_048, "model": "embed"}), JSON, path=EMBEDDINGS
    ),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one attack did."""

    attack: str
    answer: str
    """Status of the last answer, or what came in its place."""
    work_ms: float
    """Processor time of the gateway's process for one request of the attack, in milliseconds."""
    p50_ms: float
    p99_ms: float
    """What the bystander waits, in milliseconds."""
    longest_ms: float
    memory_mb: float
    """Peak of the gateway's process."""


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--before", type=Path, help="root of another checkout to measure beside this one")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each attack goes on at least")
    parser.add_argument("--longest", type=float, default=60.0, help="seconds after which an attack is given up")
    parser.add_argument("--only", default="", help="only attacks whose name holds this text")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    roots = {"now": ROOT} if options.before is None else {"before": options.before.resolve(), "now": ROOT}
    if missing := [str(root) for root in roots.values() if not (root / "emulator/src").is_dir()]:
        print(f"bench: --before {missing[0]}: must be a checkout of this repository", file=sys.stderr)
        return 2
    names = ["nothing", *(name for name in ATTACKS if options.only.lower() in name.lower())]
    found: dict[str, list[Result]] = {version: [] for version in roots}
    for name in names:
        for version, root in roots.items():
            found[version].append(asyncio.run(_measure(name, root, options.seconds, options.longest)))
            print(f"{version}: {name}: p99 {found[version][-1].p99_ms} ms", file=sys.stderr)
    if options.json:
        print(json.dumps({version: [asdict(one) for one in results] for version, results in found.items()}))
    else:
        _print(found)
    return 0


async def _measure(name: str, root: Path, seconds: float, longest: float) -> Result:
    with _gateway(root) as (process, url):
        request = ATTACKS[name]().sent() if name in ATTACKS else None
        waits: list[float] = []
        bystander = asyncio.create_task(_stand_by(url, waits))
        await asyncio.sleep(20 * EVERY)
        waits.clear()
        before, started = _processor(process.pid), time.monotonic()
        answer, count = "-", 0
        while time.monotonic() - started < seconds:
            if request is None:
                await asyncio.sleep(seconds)
            else:
                answer = await _attack(url, request, longest)
            count += 1
            if answer == "none":
                break
        await asyncio.sleep(EVERY)
        used = _processor(process.pid) - before
        bystander.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await bystander
        waits.sort()
        return Result(
            attack=name, answer=answer, work_ms=round(used * 1000 / count, 1),
            p50_ms=_share(waits, 0.5), p99_ms=_share(waits, 0.99), longest_ms=_share(waits, 1.0),
            memory_mb=_peak(process.pid),
        )  # fmt: skip


@contextlib.contextmanager
def _gateway(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {**os.environ, "PYTHONPATH": str(root / "emulator/src")}
    command = [sys.executable, str(Path(__file__).with_name("attacked.py"))]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root,
        preexec_fn=_bound,  # noqa: PLW1509 - nothing else runs in this process yet
    ) as process:  # fmt: skip
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SystemExit(f"bench: the gateway of {root} did not start")
            yield process, json.loads(line)["url"]
        finally:
            process.kill()


def _bound() -> None:
    """Let no attack take the machine's memory."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


async def _attack(url: str, request: bytes, longest: float) -> str:
    """Make one attack; returns the answer's status, `none` where there is none in time."""
    try:
        async with asyncio.timeout(longest), _connection(url) as (reader, writer):
            writer.write(request)
            return await _answered(reader)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return "none"


async def _stand_by(url: str, waits: list[float]) -> None:
    """Call again and again; a call that was due while another one waited has waited too."""
    due = time.monotonic()
    while True:
        try:
            async with _connection(url) as (reader, writer):
                while True:
                    await asyncio.sleep(due - time.monotonic())
                    writer.write(b"GET /bystander HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    try:
                        await _answered(reader)
                    finally:
                        now = time.monotonic()
                        while due <= now:
                            waits.append((now - due) * 1000)
                            due += EVERY
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(EVERY)


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _answered(reader: asyncio.StreamReader) -> str:
    """Read an answer to its end; returns its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = head.split(" ", 2)[1]
    if "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif "content-length: " in head:
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
    return status


def _processor(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _share(waits: Sequence[float], share: float) -> float:
    if not waits:
        return float("nan")
    return round(waits[min(len(waits) - 1, int(len(waits) * share))], 1)


def _print(found: dict[str, list[Result]]) -> None:
    versions = list(found)
    table = Table(title="One attacker, one bystander; milliseconds")
    table.add_column("attack")
    for version in versions:
        for column in ("answer", "work", "p99", "longest", "MB"):
            table.add_column(f"{column} {version}" if len(versions) > 1 else column, justify="right")
    for row in zip(*found.values(), strict=True):
        cells = [(one.answer, one.work_ms, one.p99_ms, one.longest_ms, one.memory_mb) for one in row]
        table.add_row(row[0].attack, *(str(cell) for several in cells for cell in several))
    Console(width=200).print(table)


if __name__ == "__main__":
    sys.exit(main())
