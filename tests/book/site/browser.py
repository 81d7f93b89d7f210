"""Find a browser to test the site with, or get one.

Run as a program it says how to get one where none was found; with CI=true that is
a failure.
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
# A browser that phones home would be counted among the site's requests.
QUIET = ["--disable-gpu", "--disable-quic", "--disable-background-networking"]
# In a container shared memory may be too small for a page, and a file is not.
SMALL = ["--disable-dev-shm-usage"]
# Nothing is asserted of how long anything takes: on a busy machine it may take long.
PATIENCE = 120_000
# A page is ready when its formulas are typeset and its explorers are drawn.
READY = """async () => {
    await window.MathJax?.startup?.promise;
    const pictures = [...document.querySelectorAll(".explorer-picture > svg")];
    while (!pictures.every((svg) => svg.childElementCount)) {
        await new Promise(requestAnimationFrame);
    }
}"""

HOW_TO_GET_ONE = """\
The site was not tested: no browser was found, and none could be installed.
Install Chromium, Chrome or Edge, or run `.venv/bin/python -m playwright install
chromium`, or set CHROMIUM to a browser's path; then run `make test` again."""


def installed():
    """Yield the browsers that may be on this machine, best first."""
    for command in COMMANDS:
        if path := shutil.which(command):
            yield path
    for place in PLACES:
        for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            place = place.replace(f"{{{name}}}", os.environ.get(name, "?"))
        if Path(place).is_file():
            yield place


def candidates(playwright):
    """Yield paths of browsers, and install one when those before it did not do."""
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
    """Try to install something; whether it worked shows afterwards."""
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
    """Say so where there is no browser; fail where there has to be one."""
    with sync_playwright() as playwright:
        if browser := launch(playwright):
            browser.close()
            return 0
    print(HOW_TO_GET_ONE)
    return os.environ.get("CI") == "true"


if __name__ == "__main__":
    sys.exit(main())
