"""Check the book's links to other sites.

Fails when a page is gone, or when no site answers at all. A site that refuses
requests from programs is only reported, since people may still be able to read it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A separate folder keeps the output of the checker out of the site.
PLACE = Path("_build", "links")
FOUND = ROOT / PLACE / "_build" / "html" / "output.json"
BUILD = [
    "jupyter-book",
    "build",
    ".",
    "--all",
    "--builder",
    "linkcheck",
    "--path-output",
]

REFUSED = re.compile(r"^(401|403|405|418|429|503|999) ")
UNREACHABLE = re.compile(
    r"NameResolutionError|NewConnectionError|ProxyError|Network is unreachable"
)


def judge(links):
    """Return messages about links, and whether the check has passed."""
    asked = [link for link in links if link["status"] in ("working", "broken")]
    broken = [link for link in asked if link["status"] == "broken"]
    if asked and all(UNREACHABLE.search(link["info"]) for link in asked):
        return [
            f"None of {len(asked)} links could be asked about: no other site can be "
            "reached from here. This check needs the network."
        ], False
    refused = [link for link in broken if REFUSED.match(link["info"])]
    gone = [link for link in broken if link not in refused]
    moved = [link for link in links if link["status"] == "redirected"]
    said = [f"gone: {line(link)}" for link in gone]
    said += [f"will not answer programs: {line(link)}" for link in refused]
    said += [
        f"moved for good: {line(link)}"
        for link in moved
        if link["code"] in (301, 308) and "doi.org" not in link["uri"]
    ]
    answered = len(asked) + len(moved) - len(broken)
    said.append(f"{answered} links answered, {len(gone)} are gone.")
    return said, not gone


def line(link):
    """Format a link, its page and the answer on one line."""
    return f"{link['uri']} on {link['filename']} ({link['info'][:120]})"


def main():
    """Run Sphinx's link checker and judge its results."""
    FOUND.unlink(missing_ok=True)
    command = [
        Path(sys.executable).with_name(BUILD[0]),
        *BUILD[1:],
        "--path-output",
        PLACE,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if not FOUND.is_file():
        print(done.stdout, done.stderr, sep="\n")
        return "The book could not be built, so no link was asked about."
    lines = FOUND.read_text(encoding="utf-8").splitlines()
    said, well = judge([json.loads(text) for text in lines])
    print("\n".join(said))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
