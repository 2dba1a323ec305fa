"""Take the pictures of the trace pages in emulator/docs: `python -m emulator.bench.screenshots`.

Needs Chromium and its driver on the PATH (Debian: chromium, chromium-driver).
"""

import asyncio
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from apim_emulator.listening import serve
from apim_emulator.tracing import TraceRecorder
from apim_emulator.tracing.server import TraceServer
from emulator.bench.scene import play

FOLDER = Path("emulator/docs/pictures")
_PICTURES = (
    ("list", "", 1080, 600, "light"),
    ("refused", "3", 1080, 960, "light"),
    ("failover", "4", 1080, 840, "dark"),
    ("narrow", "?q=status:>=400", 400, 520, "dark"),
)
"""Name, page, width and height in CSS pixels, colour scheme."""


def chromium() -> webdriver.Chrome:
    """Open a window without a screen; it must be closed with `quit`. Raises `FileNotFoundError` without Chromium."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        raise FileNotFoundError("chromium and chromedriver have to be on the PATH (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--hide-scrollbars",
        "--disable-lcd-text",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def look(window: webdriver.Chrome, *, width: int, height: int, scheme: str) -> None:
    """Give a window a size in CSS pixels, whatever the least of its frame is, and a colour scheme."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


async def main(folder: Path) -> None:
    """Take all pictures."""
    recorder = TraceRecorder()
    await asyncio.to_thread(play, recorder)
    window = await asyncio.to_thread(chromium)
    try:
        async with AsyncExitStack() as stack:
            traces = TraceServer(recorder)
            url = f"{await serve(stack, traces.app)}{traces.path}"
            await asyncio.to_thread(_take, window, url, folder)
    finally:
        await asyncio.to_thread(window.quit)


def _take(window: webdriver.Chrome, url: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, page, width, height, scheme in _PICTURES:
        look(window, width=width, height=height, scheme=scheme)
        window.get(f"{url}{page}")
        WebDriverWait(window, 20, 0.05).until(lambda _: window.find_element(By.ID, "live").text == "live")
        path = folder / f"{name}.png"
        window.save_screenshot(str(path))
        sys.stdout.write(f"{path}: {path.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    asyncio.run(main(FOLDER))
