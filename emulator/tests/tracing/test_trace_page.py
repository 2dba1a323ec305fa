"""The trace pages in a real browser: headless Chromium, driven by Selenium."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from yarl import URL

from apim_emulator.cli.serve import ServeOptions, serving
from apim_emulator.cli.session import Session
from emulator.bench.screenshots import chromium, look

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="needs the Debian packages chromium and chromium-driver"
    ),
]
SECRET = "hunter2hunter2"
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e"
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
        <check-header name="X-Team" failed-check-httpcode="403" failed-check-error-message="No" ignore-case="true" />
        <return-response><set-status code="204" /></return-response>
    </inbound>
    <backend><base /></backend>
    <outbound><base /></outbound>
    <on-error><base /></on-error>
</policies>
"""
T = TypeVar("T")


class Served:
    """An emulator on a thread of its own, as the browser is driven from this one."""

    def __init__(self, folder: Path) -> None:
        (folder / "policy.xml").write_text(POLICY, encoding="utf-8")
        self._options = ServeOptions(policy=folder / "policy.xml", backend="http://127.0.0.1:9", port=0)
        self._loop = asyncio.new_event_loop()
        self._started: Future[Session] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    async def _serve(self) -> None:
        try:
            async with serving(self._options) as served, aiohttp.ClientSession() as self._client:
                self._started.set_result(served.session)
                await self._stop.wait()
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)
            raise

    def __enter__(self) -> "Served":
        self._thread.start()
        self.session = self._started.result(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._loop.close()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "a page that is open holds up the end"

    def call(self, path: str, *, data: str = "x", **headers: str) -> int:
        async def send() -> int:
            url = URL(f"{self.session.url}{path}", encoded=True)
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            async with self._client.post(url, headers=sent, data=data) as response:
                return response.status

        return asyncio.run_coroutine_threadsafe(send(), self._loop).result(30)


class Browser:
    """A window, and the ways in which the tests look at what is in it."""

    def __init__(self, window: Any) -> None:
        self.window = window

    def open(self, url: str) -> None:
        self.window.get(url)

    def run(self, script: str, *arguments: object) -> Any:
        """Evaluate a script in the page; it is the driver's and not under the page's policy."""
        return self.window.execute_script(f"return {script.strip()}", *arguments)

    def one(self, selector: str) -> WebElement:
        found: WebElement = self.window.find_element(By.CSS_SELECTOR, selector)
        return found

    def until(self, condition: Callable[[], T]) -> T:
        """Wait until a condition holds."""
        gone = [StaleElementReferenceException]  # a part of the page that was written anew meanwhile
        return WebDriverWait(self.window, 20, 0.05, gone).until(lambda _: condition())

    def numbers(self) -> list[str]:
        return [str(number) for number in self.run(
            "Array.from(document.querySelectorAll('tbody tr'), row => row.querySelector('td').textContent)"
        )]  # fmt: skip

    def press(self, *keys: str) -> None:
        """Press keys, whatever has the focus."""
        ActionChains(self.window).send_keys(*keys).perform()

    def errors(self) -> list[str]:
        """List what the console says since the last time, such as refusals of the content security policy."""
        return [entry["message"] for entry in self.window.get_log("browser")]

    def look(self, *, width: int = 1200, scheme: str = "light") -> None:
        look(self.window, width=width, height=900, scheme=scheme)


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    """The only browser of these tests."""
    driver = chromium()
    driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    yield Browser(driver)
    driver.quit()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An emulator that was called four times: with hostile text, with a credential, with long names, and well."""
    folder, before = tmp_path_factory.mktemp("served"), Path.cwd()
    os.chdir(folder)
    try:
        with Served(folder) as found:
            hostile = {"X_Note": HOSTILE, "Authorization": f"Bearer {SECRET}"}
            assert found.call("/first", data=f"body {HOSTILE}", **hostile) == 403
            path = "/%3Cscript%3Ealert(1)%3C/script%3E?api-key=hunter2hunter2&x=<script>alert(1)</script>%E2%80%AE"
            assert found.call(path, **hostile) == 403
            assert found.call(f"/{'long' * 1000}?{'name' * 800}=1") == 403
            assert found.call("/fourth", X_Team="a") == 204
            yield found
    finally:
        os.chdir(before)


@pytest.fixture
def browser(window: Browser, served: Served) -> Iterator[Browser]:
    """The list of calls."""
    window.look()
    window.errors()
    window.open(served.session.trace_url or "")
    yield window
    assert window.errors() == []


def base(served: Served) -> str:
    assert served.session.trace_url is not None
    return served.session.trace_url


def live(browser: Browser) -> None:
    browser.until(lambda: browser.one("#live").text == "live")


# what runs, and what does not


def test_pages_show_hostile_text_and_run_nothing_of_it(browser: Browser, served: Served) -> None:
    assert browser.window.title == "Traces"
    assert "<script>alert(1)</script>" in browser.one("#call-2").text

    browser.one("#call-1 a").click()

    text = browser.one("main").text
    shown = HOSTILE.replace("\u202e", "[U+202E]")
    assert browser.window.title == "#1 POST 403 - Traces"
    assert f"Variables[text]\nbody {shown}" in text
    assert "HeaderNotFound: Header X-Team was not found" in text
    assert browser.run("document.querySelectorAll('script:not([src]), img, iframe, [onerror], [style]').length") == 0
    for path in ("", "1", "2", "3", "calls.json"):
        browser.open(f"{base(served)}{path}")
        assert "hunter2" not in browser.window.page_source


def test_page_cannot_make_markup_of_text_nor_run_a_script_that_got_in(browser: Browser) -> None:
    with pytest.raises(Exception, match="TrustedHTML"):
        browser.run("document.body.innerHTML = '<b>x</b>'")
    with pytest.raises(Exception, match="TrustedScript"):
        browser.run("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title=1'}))")

    assert browser.window.title == "Traces"
    assert json.dumps(browser.errors()).count("TrustedHTML") == 1


def test_pages_are_whole_without_javascript(browser: Browser, served: Served) -> None:
    browser.window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(f"{base(served)}?q=status:204")
        assert browser.one("tbody").text.split()[0] == "4"
        assert not browser.one("#live").is_displayed()
        browser.one("#q").send_keys(" url:first")
        browser.one("form button").click()
        assert "None of the last" in browser.one("main").text
        browser.open(f"{base(served)}1")
        browser.one(".cause a").click()
        assert browser.window.current_url.endswith("1#step-5")
        assert browser.one("#step-5").text.startswith("check-header")
        assert not browser.one("#copy").is_displayed()
        assert browser.one("#curl").is_displayed()
        inner = browser.one(".inside .step")
        assert inner.is_displayed()
        browser.one(".inside > summary").click()
        assert not inner.is_displayed()
    finally:
        browser.window.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# what a person does


def test_call_appears_while_the_list_is_open(browser: Browser, served: Served) -> None:
    live(browser)
    before = browser.numbers()

    served.call("/live", X_Team="a")

    browser.until(lambda: len(browser.numbers()) == len(before) + 1)
    assert browser.numbers()[1:] == before
    assert "/live" in browser.one("tbody tr").text


def test_focus_stays_on_its_row_when_calls_appear(browser: Browser, served: Served) -> None:
    live(browser)
    browser.press("j", "j")
    focused = browser.run("document.activeElement.closest('tr').id")
    before = browser.numbers()

    served.call("/live", X_Team="a")
    browser.until(lambda: browser.numbers() != before)

    assert browser.run("document.activeElement.closest('tr').id") == focused


def test_filter_works_while_it_is_typed_and_holds_for_what_appears(browser: Browser, served: Served) -> None:
    live(browser)
    browser.press("/")
    browser.press("url:fourth")
    browser.until(lambda: browser.numbers() == ["4"])
    assert browser.run("location.search") == "?q=url%3Afourth"

    served.call("/other", X_Team="a")
    served.call("/fourth/again", X_Team="a")
    browser.until(lambda: len(browser.numbers()) == 2)

    assert "/fourth/again" in browser.one("tbody tr").text
    browser.press(Keys.ENTER)
    assert browser.run("document.activeElement.closest('tr') === document.querySelector('tbody tr')")


def test_keys_lead_through_the_calls_that_fit(browser: Browser, served: Served) -> None:
    browser.open(f"{base(served)}?q=status:403")
    assert browser.numbers() == ["3", "2", "1"]
    browser.press("j")
    browser.press("j")
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.window.title.startswith("#2 "))
    browser.press("j")
    browser.until(lambda: browser.window.title.startswith("#1 "))
    assert "Older" not in [link.text for link in browser.window.find_elements(By.CSS_SELECTOR, "nav a")]
    browser.press(Keys.ARROW_LEFT)
    browser.until(lambda: browser.window.title.startswith("#2 "))
    browser.press("k")
    browser.until(lambda: browser.window.title.startswith("#3 "))
    browser.press("u")
    browser.until(lambda: browser.window.title == "Traces")
    assert browser.run("location.search") == "?q=status%3A403"


def test_link_to_a_newer_call_appears_while_a_call_is_open(browser: Browser, served: Served) -> None:
    newest = browser.numbers()[0]
    browser.open(f"{base(served)}{newest}")
    live(browser)
    assert not browser.window.find_elements(By.CSS_SELECTOR, "a[rel=prev]")

    served.call("/live", X_Team="a")

    browser.until(lambda: f"Newer #{int(newest) + 1}" in browser.run("document.querySelector('nav').textContent"))


def test_copy_gives_a_command_without_secrets(browser: Browser, served: Served) -> None:
    browser.open(f"{base(served)}2")

    browser.one("#copy").click()

    browser.until(lambda: browser.one("#copied").text)
    assert browser.one("#copied").text == "Copied"
    copied = browser.window.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.startswith("curl -i \\\n  -X POST \\\n  'http://127.0.0.1:")
    assert "-H 'Authorization: Bearer '\"$TOKEN\"" in copied
    assert 'api-key=\'"$SECRET_1"' in copied
    assert "hunter2" not in copied


# how it looks


@pytest.mark.parametrize("width", [400, 700, 1200])
def test_nothing_is_wider_than_the_window(browser: Browser, served: Served, width: int) -> None:
    browser.look(width=width)
    for path in ("", "1", "2", "3", "4", "?q=nobody", "99999"):
        browser.open(f"{base(served)}{path}")

        assert browser.run("document.documentElement.scrollWidth") <= width, path
        browser.errors()  # of a call that is not kept, the console says that it is missing


CONTRAST = """
    (() => {
        const parse = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
        const behind = (element) => {
            for (let one = element; one; one = one.parentElement) {
                const color = parse(getComputedStyle(one).backgroundColor);
                if (color.length === 3 || color[3] > 0) return color;
            }
        };
        const found = {};
        for (const element of document.querySelectorAll("body *")) {
            const own = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
            if (!own || !element.checkVisibility()) continue;
            const pair = [parse(getComputedStyle(element).color), behind(element)];
            const [a, b] = pair.map(light).sort((x, y) => y - x);
            const name = `${element.tagName}.${element.className} ${pair.join(" on ")}`;
            found[name] = (a + 0.05) / (b + 0.05);
        }
        return found;
    })()
"""
"""The contrast of each text with what is behind it (WCAG 2.2, "contrast ratio")."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_colour_schemes(browser: Browser, served: Served, scheme: str) -> None:
    browser.look(scheme=scheme)
    for path in ("", "1", "4", "1#step-5"):
        browser.open(f"{base(served)}{path}")
        browser.until(lambda: browser.one("#live").is_displayed())
        found = browser.run(CONTRAST)
        assert len(found) > 10
        assert {name: round(value, 2) for name, value in found.items() if value < 4.5} == {}, path
    dark = browser.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(23, 24, 27)"
    assert dark is (scheme == "dark")


def test_rows_do_not_move_for_those_who_want_no_motion(browser: Browser, served: Served) -> None:
    wanted = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    live(browser)
    before = browser.numbers()
    served.call("/live", X_Team="a")
    browser.until(lambda: browser.numbers() != before)

    assert browser.run("getComputedStyle(document.querySelector('tr.new')).animationName") == "none"


# the end


def test_page_says_that_the_emulator_has_ended_and_does_not_hold_it_up(
    window: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Served(tmp_path) as other:
        window.open(base(other))
        live(window)
        other.end()
        window.until(lambda: window.one("#live").text == "not live: waiting for the emulator")
        window.errors()
