"""Try the emulator without this repository: in an empty environment, with a policy and tests.

Installs only `./emulator` and pytest, runs the test in Python and the cases in YAML, lints the policy and
one with a mistake, serves the policy in front of a backend and calls it.
"""

import json
import subprocess
import tempfile
import threading
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

EMULATOR = Path(__file__).resolve().parent.parent / "emulator"
POLICY = """<policies>
    <inbound>
        <base />
        <set-header name="X-Team">
            <value>@(context.Request.Headers.GetValueOrDefault("X-Who", "nobody"))</value>
        </set-header>
    </inbound>
    <backend><base /></backend>
    <outbound><base /></outbound>
    <on-error><base /></on-error>
</policies>
"""
TEST = """from pathlib import Path


def test_the_team_is_who_calls(policy_bench):
    bench = policy_bench(Path("policy.xml"))
    assert bench.get("/", headers={"X-Who": "blue"}).requests[0].headers["X-Team"] == "blue"


def test_time_stands_still(apim_clock):
    before = apim_clock.now()
    apim_clock.advance(60)
    assert apim_clock.now() == before + 60
"""
CASES = """tests:
  - name: the team is who calls
    request: { headers: { X-Who: blue } }
    received: { headers: { X-Team: blue } }
  - name: a caller without a name is nobody
    received: { headers: { X-Team: nobody } }
"""


class Echo(BaseHTTPRequestHandler):
    """A backend that answers with the header that the policy sets."""

    def do_GET(self) -> None:
        """Answer a GET."""
        body = str(self.headers.get("X-Team")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Raise an error if something does not work."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        binaries = folder / "venv" / "bin"
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(EMULATOR), "pytest"]
        subprocess.run([binaries / "python", *install], check=True)
        without = subprocess.run([binaries / "python", "-c", "import pulumi"], capture_output=True, check=False)
        assert without.returncode, "testing a policy must not need Pulumi"
        print(f"installed: {version(binaries)}")
        (folder / "policy.xml").write_text(POLICY, encoding="utf-8")
        (folder / "test_policy.py").write_text(TEST, encoding="utf-8")
        subprocess.run([binaries / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=folder, check=True)
        (folder / "policy.test.yaml").write_text(CASES, encoding="utf-8")
        tested = subprocess.run([binaries / "apim-emulator", "test"], cwd=folder, stdout=subprocess.PIPE, check=True)
        assert tested.stdout.endswith(b"2 passed, 0 failed\n"), tested.stdout
        subprocess.run([binaries / "apim-emulator", "lint"], cwd=folder, check=True)
        (folder / "wrong.xml").write_text(POLICY.replace("set-header", "set-haeder"), encoding="utf-8")
        linted = subprocess.run(
            [binaries / "apim-emulator", "lint", "wrong.xml"], cwd=folder, stdout=subprocess.PIPE, check=False
        )
        assert linted.returncode == 1, linted.stdout
        assert b"wrong.xml:4:9: error: set-haeder" in linted.stdout, linted.stdout
        print(f"served: {call(folder, binaries)}")


def version(binaries: Path) -> str:
    """Return what the command line calls itself, which is what pip installed."""
    read_metadata = "from importlib.metadata import version; print(version('apim-emulator'))"
    installed, told = (
        subprocess.run([binaries / program, *arguments], capture_output=True, check=True, text=True).stdout
        for program, arguments in (("python", ["-c", read_metadata]), ("apim-emulator", ["--version"]))
    )
    assert told == f"apim-emulator {installed}", (told, installed)
    return told.strip()


def call(folder: Path, binaries: Path) -> str:
    """Return the answer to a call through the served policy."""
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    command = ["serve", "policy.xml", "--backend", f"http://127.0.0.1:{backend.server_port}", "--port", "0", "--json"]
    with subprocess.Popen([binaries / "apim-emulator", *command], cwd=folder, stdout=subprocess.PIPE) as served:
        assert served.stdout
        text = ""
        while line := served.stdout.readline().decode():
            text += line
            if line == "}\n":
                break
        try:
            opener = build_opener(ProxyHandler({}))
            opener.addheaders = [("X-Who", "green")]
            with opener.open(f"{json.loads(text)['url']}/", timeout=10) as answer:
                found = str(answer.read(), "utf-8")
        finally:
            served.terminate()
            backend.shutdown()
    assert found == "green", found
    return found


if __name__ == "__main__":
    main()
