"""Compare the gateway with a bare aiohttp reverse proxy in one run: `python -m bench.gateway`.

The load comes from wrk (Debian: `apt-get install wrk`) with 32 connections. Each subject is one process. The subjects
take turns in each round, so that changes in the machine's speed affect them equally. The result is the ratio of
requests per second to the bare proxy's in the same round; the table shows the median over all rounds.

With `--litellm`, the path of a Python that has `litellm[proxy]` installed, LiteLLM's proxy is measured too.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CONNECTIONS = 32
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say sixty words about API gateways."}]}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A process under load."""

    name: str
    url: str
    headers: dict[str, str] = field(repr=False)
    process: subprocess.Popen[str] = field(repr=False)
    stream: bool = False
    baseline: str = "bare proxy"

    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one run of wrk."""

    requests: float
    """Requests per second."""
    p50: float
    """Milliseconds."""
    p99: float
    errors: int


def main() -> int:
    """Measure and print the table; return 2 if wrk is not installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=5, help="length of each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each subject")
    parser.add_argument(
        "--soak", type=int, default=0, help="afterwards, load the protected gateway for this many seconds"
    )
    parser.add_argument("--litellm", help="Python that has litellm[proxy] installed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("bench: wrk is not on the PATH; install it (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        subjects = _subjects(stack, options.litellm)
        for subject in subjects:
            _try(subject)
        rounds: dict[str, list[Result]] = {subject.name: [] for subject in subjects}
        for number in range(options.rounds + 1):
            for subject in subjects:
                result = _load(subject, options.seconds if number else 1)
                if number:  # the first round warms up
                    rounds[subject.name].append(result)
        rows = [_row(subject, rounds) for subject in subjects]
        soak = _soak(next(s for s in subjects if s.name == "gateway: Entra"), options.soak) if options.soak else []
    if options.json:
        print(json.dumps({"rows": rows, "soak": soak}))
    else:
        _print(rows, soak)
    return 0


def _subjects(stack: contextlib.ExitStack, litellm: str | None) -> list[Subject]:
    base = _start(stack, "upstream").url
    bare = _start(stack, "bare", base)
    passthrough = _start(stack, "passthrough", base)
    protected = _start(stack, "protected", base)

    def named(found: Subject, name: str, **more: Any) -> Subject:
        return Subject(name=name, url=found.url, headers=found.headers, process=found.process, **more)

    subjects = [
        named(bare, "bare proxy"),
        named(passthrough, "gateway: pass-through"),
        named(protected, "gateway: Entra"),
        named(bare, "bare proxy, SSE", stream=True),
        named(passthrough, "gateway: pass-through, SSE", stream=True, baseline="bare proxy, SSE"),
        named(protected, "gateway: Entra, SSE", stream=True, baseline="bare proxy, SSE"),
    ]
    if litellm:
        subjects.append(_start_litellm(stack, litellm, base))
    return subjects


def _start(stack: contextlib.ExitStack, kind: str, base: str = "") -> Subject:
    process = subprocess.Popen([sys.executable, "-m", "bench.servers", kind, base], stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise SystemExit(f"bench: the process {kind} did not start")
    ready = json.loads(line)
    return Subject(name=kind, url=ready["url"] + ready["path"], headers=ready["headers"], process=process)


def _start_litellm(stack: contextlib.ExitStack, python: str, base: str) -> Subject:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    config, log = folder / "litellm.yaml", folder / "log"
    model = {"model": "azure/gpt-4o", "api_base": base, "api_key": "none", "api_version": "2024-10-21"}
    models = [{"model_name": "gpt-4o", "litellm_params": model}]
    config.write_text(json.dumps({"model_list": models}), encoding="utf-8")
    program = str(Path(python).parent / "litellm")
    command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    # It does not start without a key, and would download its list of prices.
    key = f"sk-{secrets.token_hex(32)}"
    environment = {**os.environ, "LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True, env=environment, cwd=folder)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    url = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {key}"}
    for _ in range(120):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health/liveliness", timeout=2):
            return Subject(name="LiteLLM proxy", url=f"{url}/v1/chat/completions", headers=headers, process=process)
        time.sleep(1)
    said = log.read_text(encoding="utf-8").rstrip().splitlines()[-10:]
    raise SystemExit("\n".join(["bench: LiteLLM's proxy did not start within two minutes; it said:", *said]))


def _call(subject: Subject) -> tuple[str, dict[str, str]]:
    body = json.dumps({**BODY, "stream": True} if subject.stream else BODY)
    return body, {"Content-Type": "application/json", **subject.headers}


def _try(subject: Subject) -> None:
    """Make one call, and stop if the subject does not answer as expected."""
    body, headers = _call(subject)
    try:
        with urllib.request.urlopen(urllib.request.Request(subject.url, body.encode(), headers), timeout=60) as answer:
            said = answer.read()
    except OSError as error:
        raise SystemExit(f"bench: {subject.name} does not answer: {error}") from None
    if (b"data: [DONE]" in said) != subject.stream or b"word" not in said:
        raise SystemExit(f"bench: {subject.name} gave an unexpected answer: {said[:300]!r}")


def _load(subject: Subject, seconds: int) -> Result:
    body, headers = _call(subject)
    lines = ['wrk.method = "POST"', f"wrk.body = {json.dumps(body)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script.name, subject.url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = [int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", output)]
    broken = " ".join(re.findall(r"Socket errors: (.*)", output))
    failed += [int(number) for number in re.findall(r"\d+", broken)]
    percentile = dict(re.findall(r"(50|99)%\s+([\d.]+\w+)", output))
    return Result(
        requests=float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0]),
        p50=_milliseconds(percentile["50"]),
        p99=_milliseconds(percentile["99"]),
        errors=sum(failed),
    )


def _milliseconds(text: str) -> float:
    number, unit = re.findall(r"([\d.]+)(\w+)", text)[0]
    return float(number) * _UNITS[unit]


def _row(subject: Subject, rounds: dict[str, list[Result]]) -> dict[str, Any]:
    results = rounds[subject.name]
    ratios = [own.requests / other.requests for own, other in zip(results, rounds[subject.baseline], strict=True)]
    if subject.stream and subject.baseline == "bare proxy":
        ratios = [1.0]
    return {
        "subject": subject.name,
        "requests_per_second": round(statistics.median(result.requests for result in results)),
        "ratio": round(statistics.median(ratios), 2),
        "p50_ms": round(statistics.median(result.p50 for result in results), 1),
        "p99_ms": round(statistics.median(result.p99 for result in results), 1),
        "memory_mb": round(subject.memory()),
        "errors": sum(result.errors for result in results),
    }


def _soak(subject: Subject, seconds: int) -> list[float]:
    """Return the memory in MB at the start of each tenth of the time, and at the end."""
    return [subject.memory() for _ in _slices(subject, seconds)]


def _slices(subject: Subject, seconds: int) -> Iterator[None]:
    for _ in range(10):
        yield
        _load(subject, max(1, seconds // 10))
    yield


def _print(rows: list[dict[str, Any]], soak: list[float]) -> None:
    table = Table(title=f"{CONNECTIONS} connections, one process each, one upstream")
    columns = ("subject", "requests/s", "ratio", "p50 ms", "p99 ms", "memory MB", "errors")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console = Console()
    console.print(table)
    if soak:
        console.print("memory under load, MB: " + ", ".join(f"{value:.0f}" for value in soak))


if __name__ == "__main__":
    sys.exit(main())
