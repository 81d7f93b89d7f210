"""How `make links` judges the answers of other sites."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "tools" / "links.py"
SPEC = importlib.util.spec_from_file_location("links", PATH)
links = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(links)


def link(status, info="", code=0, uri="https://example.org/a"):
    return {
        "status": status,
        "info": info,
        "code": code,
        "uri": uri,
        "filename": "book/api.md",
    }


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (link("working"), True),
        (link("redirected", "https://example.org/b", 301), True),
        (link("broken", "403 Client Error: Forbidden for url"), True),
        (link("broken", "404 Client Error: Not Found for url"), False),
        (link("broken", "Anchor 'x' not found"), False),
        (link("broken", "Caused by NameResolutionError(...)"), False),
    ],
)
def test_which_answers_are_failures(answer, well):
    said, good = links.judge([link("working"), answer, link("unchecked")])
    assert good == well
    assert said[-1].endswith("1 are gone." if not well else "0 are gone.")


def test_without_a_network_it_says_so():
    said, good = links.judge([link("broken", "NameResolutionError")] * 3)
    assert not good
    assert said == [
        "None of 3 links could be asked about: no other site can be reached from "
        "here. This check needs the network."
    ]
