"""The page for teachers agrees with the chapters: names, labels, minutes.

What the extension writes is read from the notebooks; the tables of sessions are
written by hand, and are compared with them here.
"""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location(
    "teaching", ROOT / "book" / "_ext" / "teaching.py"
)
teaching = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(teaching)

TEXT = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^:::\{container\} (\w+)\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
CHAPTERS = {chapter.name: chapter for chapter in teaching.chapters(ROOT)}
LABELS = {label for chapter in CHAPTERS.values() for _, label in chapter.exercises}
SOLVED = re.compile(r"<(ex-[\w-]+)>`")


def rows(text, name):
    """Return the cells of one of the page's tables, without its head."""
    lines = dict(TABLE.findall(text))[name].strip().split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def problems(text):
    """Return what the tables of sessions say that the chapters do not."""
    found = [f"no exercise {x}" for x in SOLVED.findall(text) if x not in LABELS]
    for name in ("week", "term"):
        sessions = rows(text, name)
        numbers = [int(cells[0]) for cells in sessions]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"sessions of the {name} are not numbered")
        for number, chapters, minutes, *exercises in sessions:
            named = re.findall(r"\{doc\}`/([\w/]+)`", chapters)
            total = sum(CHAPTERS[n].minutes for n in named)
            if total != int(minutes):
                found.append(f"{name} {number}: {total} minutes, not {minutes}")
            own = {label for n in named for _, label in CHAPTERS[n].exercises}
            found += [
                f"{name} {number}: {label} is of another chapter"
                for label in SOLVED.findall(" ".join(exercises))
                if label not in own
            ]
    term = " ".join(cells[1] for cells in rows(text, "term"))
    found += [f"no session for {n}" for n in CHAPTERS if f"`/{n}`" not in term]
    if sum(int(cells[0]) for cells in rows(text, "lecture")) != 90:
        found.append("the lecture does not take ninety minutes")
    return found


def test_the_page_agrees_with_the_chapters():
    assert problems(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("| 20 | {ref}`equal", "| 25 | {ref}`equal", "20 minutes, not 25"),
        ("<ex-04-mean>", "<ex-04-median>", "no exercise ex-04-median"),
        ("<ex-04-mean>", "<ex-05-twice>", "ex-05-twice is of another chapter"),
        ("{doc}`/notebooks/13_layouts` | 60", "| 0", "no session for"),
        ("| 16 | {doc}", "| 26 | {doc}", "are not numbered"),
        ("| 15 | How a network", "| 20 | How a network", "ninety minutes"),
    ],
)
def test_notices(old, new, found):
    assert TEXT.count(old) == 1
    assert any(found in problem for problem in problems(TEXT.replace(old, new)))


@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=lambda c: c.name[10:])
def test_every_chapter_has_goals_and_a_project(chapter):
    assert len(chapter.goals) >= 3 and 15 <= chapter.minutes <= 70
    kinds = [teaching.kind_of(title) for title, _ in chapter.exercises]
    assert kinds.count("project") == 1
    assert len(set(kinds)) >= 3


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("One minute", teaching.SHORT),
        ("Three minutes, by hand", teaching.SHORT),
        ("Ten minutes", teaching.LONG),
        ("A quarter of an hour", teaching.LONG),
        ("Half an hour", teaching.LONG),
        ("Two minutes: a proof", "proofs"),
        ("Predict, then run (five minutes)", "predict, then run"),
        ("Ten minutes: break it", "break this"),
        ("An afternoon: an open project", "project"),
    ],
)
def test_the_kind_of_an_exercise(title, kind):
    assert teaching.kind_of(title) == kind
