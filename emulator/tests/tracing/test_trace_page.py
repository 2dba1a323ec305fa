"""The page of traces in a real browser: headless Chromium, driven by the WebDriver protocol."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from apim_emulator.cli.serve import ServeOptions, serving
from apim_emulator.cli.session import Session

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="needs the Debian packages chromium and chromium-driver"
)
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
POLICY = """<policies>
    <inbound>
        <base />
        <set-variable name="note" value='@(context.Request.Headers.GetValueOrDefault("X-Note", "none"))' />
        <choose>
            <when condition='@(context.Request.Headers.ContainsKey("X-Note"))'>
                <set-header name="X-Inner"><value>1</value></set-header>
            </when>
        </choose>
        <set-variable name="text" value='@(context.Request.Body.As<string>(true))' />
        <check-header name="X-Team" failed-check-httpcode="403" failed-check-error-message="No team" ignore-case="true" />
    </inbound>
    <backend><base /></backend>
    <outbound><base /></outbound>
    <on-error><base /></on-error>
</policies>
"""  # noqa: E501


class Browser:
    """A browser window."""

    def __init__(self, client: aiohttp.ClientSession, session: str) -> None:
        self._client = client
        self._session = session

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Send a WebDriver command."""
        async with self._client.post(f"{self._session}/{command}", json=arguments) as answer:
            found = await answer.json()
            assert answer.status == 200, found["value"].get("message")
            return found["value"]

    async def get(self, what: str) -> Any:
        """Ask for what WebDriver knows itself, without a script of the page."""
        async with self._client.get(f"{self._session}/{what}") as answer:
            return (await answer.json())["value"]

    async def run(self, script: str) -> Any:
        """Evaluate a script in the page; it is WebDriver's and not under the page's policy."""
        return await self.ask("execute/sync", script=f"return {script}", args=[])

    async def click(self, selector: str) -> None:
        found = await self.ask("element", using="css selector", value=selector)
        await self.ask(f"element/{next(iter(found.values()))}/click")

    async def errors(self) -> list[str]:
        """List what the console says, such as refusals of the content security policy."""
        return [entry["message"] for entry in await self.ask("se/log", type="browser")]


@pytest.fixture
async def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    """A sandbox that was called with hostile text and with a credential."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.xml").write_text(POLICY, encoding="utf-8")
    options = ServeOptions(policy=tmp_path / "policy.xml", backend="http://127.0.0.1:9", port=0)
    async with serving(options) as served, aiohttp.ClientSession() as client:
        headers = {"X-Note": HOSTILE, "Authorization": "Bearer hunter2hunter2"}
        for path in ("/first", "/%3Cscript%3Ealert(1)%3C/script%3E?api-note=<script>alert(1)</script>"):
            url = URL(f"{served.session.url}{path}", encoded=True)
            async with client.post(url, headers=headers, data=f"body {HOSTILE}") as response:
                assert response.status == 403
        yield served.session


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser of its own, ended by closing its window and its driver."""
    assert DRIVER is not None
    driver = await asyncio.create_subprocess_exec(
        DRIVER, "--port=0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert driver.stdout is not None
    try:
        port = ""
        async for line in driver.stdout:
            if b"successfully on port" in line:
                port = line.decode().rpartition("port ")[2].strip(" .\n")
                break
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]
        arguments.append(f"--user-data-dir={tmp_path / 'profile'}")
        wanted = {
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        base = f"http://127.0.0.1:{port}/session"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client:
            async with client.post(base, json={"capabilities": {"alwaysMatch": wanted}}) as answer:
                started = (await answer.json())["value"]
                assert answer.status == 200, started["message"]
            window = f"{base}/{started['sessionId']}"
            yield Browser(client, window)
            async with client.delete(window) as ended:
                assert ended.status == 200
    finally:
        driver.terminate()
        await driver.communicate()


async def test_pages_show_calls_and_run_nothing(session: Session, browser: Browser) -> None:
    await browser.ask("url", url=session.trace_url)

    assert await browser.run("document.title") == "Traces"
    rows = await browser.run("[...document.querySelectorAll('tbody tr')].map(row => row.innerText)")
    assert [row.split()[0] for row in rows] == ["2", "1"]
    assert "403" in rows[1]
    assert "<script>alert(1)</script>" in rows[0]

    await browser.click("tbody tr:last-child a")

    text = await browser.run("document.body.innerText")
    assert await browser.run("document.title") == "#1 - Traces"
    assert f"Variables[note]\n{HOSTILE}" in text
    assert f"Variables[text]\nbody {HOSTILE}" in text
    assert "HeaderNotFound: Header X-Team was not found" in text
    assert "hunter2" not in await browser.run("document.documentElement.outerHTML")
    assert await browser.run("document.querySelectorAll('script, img, b, iframe, [onerror]').length") == 0
    assert await browser.errors() == []


async def test_tree_can_be_folded_without_a_script(session: Session, browser: Browser) -> None:
    await browser.ask("url", url=f"{session.trace_url}1")
    inner = "[...document.querySelectorAll('details details')].some(one => one.checkVisibility())"
    before = await browser.run(inner)
    await browser.click("ul > li:nth-child(2) > details > summary")

    assert (before, await browser.run(inner)) == (True, False)


async def test_page_is_whole_in_a_browser_without_javascript(session: Session, browser: Browser) -> None:
    off = {"cmd": "Emulation.setScriptExecutionDisabled", "params": {"value": True}}
    await browser.ask("goog/cdp/execute", **off)
    await browser.ask("url", url="data:text/html,<title>off</title><script>document.title='on'</script>")
    assert await browser.get("title") == "off"
    await browser.ask("url", url=session.trace_url)
    await browser.click("tbody tr:last-child a")

    found = await browser.ask("element", using="css selector", value="main")
    text = await browser.get(f"element/{next(iter(found.values()))}/text")
    assert "#1 POST /first -> 403" in text
    assert "Variables[note]" in text


@pytest.mark.parametrize("width", [390, 1200])
async def test_page_fits_the_window(session: Session, browser: Browser, width: int) -> None:
    await browser.ask("window/rect", width=width, height=900)
    for path in ("", "1", "2"):
        await browser.ask("url", url=f"{session.trace_url}{path}")

        assert await browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert await browser.run("getComputedStyle(document.querySelector('code')).fontSize") == "13px"


async def test_policy_of_the_page_stops_a_script_that_got_in(session: Session, browser: Browser) -> None:
    await browser.ask("url", url=session.trace_url)
    script = "let one = document.createElement('script'); one.text = 'document.title = 1'; document.body.append(one)"
    await browser.ask("execute/sync", script=script, args=[])

    assert await browser.run("document.title") == "Traces"
    assert json.dumps(await browser.errors()).count("Content Security Policy") == 1
