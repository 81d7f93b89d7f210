"""Find a browser for the tests of the site, or install one.

Run as a program, it prints how to install one if none was found, and fails then if
CI=true.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "{PROGRAMFILES}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Google/Chrome/Application/chrome.exe",
    "{LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
    "{PROGRAMFILES(X86)}/Microsoft/Edge/Application/msedge.exe",
)
# Background requests of the browser would be counted as requests of the site.
QUIET = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
# In a container shared memory may be too small for a page.
SMALL = ["--disable-dev-shm-usage"]
# Milliseconds. No test is about time, and a busy machine may be slow.
PATIENCE = 120_000
# A page is ready when its fonts are there and its explorers are drawn.
READY = """async () => {
    await document.fonts.ready;
    if (typeof Library !== "undefined") await Library.started.catch(() => {});
    const layers = [...document.querySelectorAll(".explorer-picture > svg > g")];
    while (!layers.every((layer) => layer.childElementCount)) {
        await new Promise(requestAnimationFrame);
    }
}"""

HOW_TO_GET_ONE = """\
The site was not tested: no browser was found, and none could be installed.
Install Chromium, Chrome or Edge, or run `.venv/bin/python -m playwright install
chromium`, or set CHROMIUM to a browser's path; then run `make test` again."""


def installed():
    """Yield the paths of installed browsers, preferred ones first."""
    for command in COMMANDS:
        if path := shutil.which(command):
            yield path
    for place in PLACES:
        for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            place = place.replace(f"{{{name}}}", os.environ.get(name, "?"))
        if Path(place).is_file():
            yield place


def candidates(playwright):
    """Yield paths of browsers; install one if none of the others starts."""
    if chosen := os.environ.get("CHROMIUM"):
        yield chosen
        return
    yield from installed()
    own = playwright.chromium.executable_path
    if Path(own).is_file():
        yield own
    run(sys.executable, "-m", "playwright", "install", "chromium")
    if Path(own).is_file():
        yield own
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-qq", "--no-install-recommends", "chromium")
        yield from installed()


def run(*command):
    """Run an installer and ignore failures; the caller looks for the result."""
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command, capture_output=True, timeout=300, stdin=subprocess.DEVNULL
        )


def launch(playwright):
    """Return the first browser that starts, or None."""
    for path in candidates(playwright):
        try:
            return playwright.chromium.launch(
                executable_path=path, args=QUIET + SMALL, timeout=PATIENCE
            )
        except Error:
            if path == os.environ.get("CHROMIUM"):
                raise
    return None


def main():
    """Report if there is no browser, and fail then if CI=true."""
    with sync_playwright() as playwright:
        if browser := launch(playwright):
            browser.close()
            return 0
    print(HOW_TO_GET_ONE)
    return os.environ.get("CI") == "true"


if __name__ == "__main__":
    sys.exit(main())
