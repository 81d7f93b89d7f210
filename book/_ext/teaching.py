"""The chapters' goals, times and exercises, read from the notebooks for teachers.

`chapter-goals` lists what each chapter teaches, as the box at its top says it, and
`exercises-by-kind` is a table of links to all exercises, by chapter and kind. Neither
is a second text: both are made from the chapters of the table of contents.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

BOX = re.compile(r"```\{admonition\}[^\n]*\n:class: objectives\n\n(.*?)```", re.DOTALL)
EXERCISE = re.compile(r"\{exercise\} *([^\n]*)\n:label: (\S+)")
# The words of a title that name its kind; the first that fits counts.
KINDS = {
    "project": "project",
    "proofs": "proof",
    "predict, then run": "predict",
    "break this": "break",
}
SHORT, LONG = "up to five minutes", "longer"
COLUMNS = (SHORT, "proofs", "predict, then run", "break this", LONG, "project")
NUMBERS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
)
NUMBERS = {word: n for n, word in enumerate(NUMBERS, start=1)}
NUMBERS |= {"fifteen": 15, "twenty": 20, "a quarter of an hour": 15, "half an hour": 30}


@dataclass
class Chapter:
    """What a chapter's notebook says about itself."""

    name: str
    title: str
    goals: list[str]
    times: str
    exercises: list[tuple[str, str]]

    @property
    def minutes(self):
        """The minutes that it takes to read the chapter."""
        return int(re.match(r"\d+", self.times)[0])


def chapters(root):
    """Return the chapters of the table of contents, in its order."""
    contents = yaml.safe_load(Path(root, "_toc.yml").read_text(encoding="utf-8"))
    files = [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    return [chapter(root, name) for name in files if name.startswith("notebooks/")]


def chapter(root, name):
    """Read one chapter from its notebook."""
    notebook = json.loads(Path(root, f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = notebook["cells"]
    prose = "\n\n".join(
        "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"
    )
    box = BOX.search(prose)[1]
    goals = re.findall(r"^- (.*)$", box, re.MULTILINE)
    times = re.search(r"^\*(\d+ minutes.*)\*$", box, re.MULTILINE)[1]
    title = re.match(r"# (.*)", prose)[1]
    return Chapter(name, title, goals, times, EXERCISE.findall(prose))


def minutes_of(title):
    """Return the minutes that an exercise's title names, or None."""
    words = title.lower()
    if "hour" in words:
        return 15 if "quarter" in words else 30
    found = re.search(r"(\w+) minutes?", words)
    return NUMBERS[found[1]] if found else None


def kind_of(title):
    """Return the column of an exercise."""
    for kind, word in KINDS.items():
        if word in title.lower():
            return kind
    return SHORT if minutes_of(title) <= 5 else LONG


class ChapterGoals(SphinxDirective):
    """A list of all chapters with their goals."""

    def run(self):
        """Return the list, in the Markdown of the chapters themselves."""
        lines = []
        for entry in chapters(self.env.srcdir):
            self.env.note_dependency(f"{entry.name}.ipynb")
            # Links in the box are relative to the chapter.
            times = re.sub(r"(<|`)(?=\d\d_)", r"\1/notebooks/", entry.times)
            lines += [f"**{{doc}}`/{entry.name}`**", f": {times}", ""]
            lines += [f"  - {goal}" for goal in entry.goals]
            lines.append("")
        return self.parse_text_to_nodes("\n".join(lines))


class ExercisesByKind(SphinxDirective):
    """A table of links to all exercises."""

    def run(self):
        """Return the table: a row for each chapter, a column for each kind."""
        rows = ["| chapter | " + " | ".join(COLUMNS) + " |"]
        rows.append("| :--- " * (len(COLUMNS) + 1) + "|")
        for entry in chapters(self.env.srcdir):
            self.env.note_dependency(f"{entry.name}.ipynb")
            cells = {kind: [] for kind in COLUMNS}
            for title, label in entry.exercises:
                word = label.split("-", 2)[2].replace("-", " ")
                cells[kind_of(title)].append(f"{{ref}}`{word} <{label}>`")
            links = [", ".join(cells[kind]) or "–" for kind in COLUMNS]
            rows.append(f"| {{doc}}`/{entry.name}` | " + " | ".join(links) + " |")
        box = nodes.container(classes=["exercises"])
        box += self.parse_text_to_nodes("\n".join(rows))
        return [box]


def setup(app):
    """Register both directives."""
    app.add_directive("chapter-goals", ChapterGoals)
    app.add_directive("exercises-by-kind", ExercisesByKind)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
