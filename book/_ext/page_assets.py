"""Keep pages light: no files, scripts or elements that a page does not need."""

import json
import re
import shutil
from pathlib import Path

EXPLORER = re.compile(
    r'<div class="explorer" data-explorer="(?P<name>\w+)"(?: data-\w+="[^"]*")*>'
)
# What explorers need beside their own scripts, in this order; what one needs; and where
# one stands in the script of another.
SHARED = "wasm/module.js", "wasm/library.js", "explorers/explorer.js"
OTHERS = {
    "try": "explorers/exact.js",
    "reliability": "explorers/digit_scores.js",
    "term": "explorers/exact.js",
    "pieces": "explorers/exact.js",
}
SCRIPTS = {
    "predict_doubled": "predict",
    "choose_naive": "choose",
    "choose_log": "choose",
}
# The first pictures of explorers (tools/drawings.py).
DRAWINGS = json.loads(Path(__file__).with_name("drawings.json").read_text("utf-8"))
# Nothing in the book is a card, a grid or a tab.
UNUSED = {"sphinx-design.min.css", "design-tabs.js"}
# The theme's icons, of which book/_static/icons.css has the few that pages show, and
# the sources of its scripts and stylesheets.
LEFT_OUT = ("scripts/fontawesome.*", "vendor", "*/*.map", *UNUSED)
THEME = "styles/pydata-sphinx-theme.css"
ICONS = re.compile(
    r"@font-face\{[^}]*fontawesome[^}]*\}|(?:\.fa-[\w-]+:before,?)+\{content:[^}]*\}"
)
# Tokens in the colour of the text around them: names, punctuation, blanks. They are
# half of all elements of a chapter.
PLAIN = re.compile(r'<span class="[npw]">([^<]*)</span>')


def choose(app, pagename, templatename, context, doctree):
    """Drop files and elements that are not needed; add the scripts of explorers."""
    for files in (context["css_files"], context["script_files"]):
        files[:] = [
            file for file in files if Path(str(file.filename)).name not in UNUSED
        ]
    names = dict.fromkeys(EXPLORER.findall(context.get("body", "")))
    for script in scripts(names) if names else ():
        app.add_js_file(script, defer="defer", blocking="render")
    if "body" in context:
        body = PLAIN.sub(r"\1", context["body"])
        context["body"] = EXPLORER.sub(with_drawing, body)


def scripts(names):
    """Return the scripts that explorers need, in the order in which they run."""
    others = dict.fromkeys(OTHERS[name] for name in names if name in OTHERS)
    own = dict.fromkeys(f"explorers/{SCRIPTS.get(name, name)}.js" for name in names)
    return [*SHARED, *others, *own]


def with_drawing(opened):
    """Return the start of an explorer, and what it draws where no script runs."""
    return opened[0] + DRAWINGS.get(opened["name"], "")


def tidy(app, error):
    """Delete what no page loads."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for pattern in LEFT_OUT:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    theme = static / THEME
    theme.write_text(ICONS.sub("", theme.read_text("utf-8")), encoding="utf-8")


def setup(app):
    """Run last, after sphinx-design has added files and names have become links."""
    app.connect("html-page-context", choose, priority=900)
    app.connect("build-finished", tidy, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
