"""Link the functions of the library to the chapters that use them, and back.

The tables in book/api.md name the chapter that explains each function. The description
of a function links to this chapter and to all others that use the function, and the
chapter lists its functions in the box at its top. Names of functions in prose and in
the import lines of chapters link to the descriptions.
"""

import ast
import re
from html import escape

from docutils import nodes
from sphinx import addnodes

import softmax_lib
from softmax_lib import textbook

LIBRARY = "softmax_lib"
NAMES = {
    name: f"{module.__name__}.{name}"
    for module in (softmax_lib, textbook)
    for name in module.__all__
}
PAGE = "book/api"
CHAPTERS = "notebooks/"

IMPORT = re.compile(
    r'<span class="nn">(?P<module>[\w.]+)</span><span class="w"> </span>'
    r'<span class="kn">import</span> (?:<span class="p">\([^)]*\)|[^\n]*)'
)
NAME = re.compile(r'<span class="n">(\w+)</span>')


def begin(app, env, docnames):
    """Create empty tables, unless an earlier build has stored them."""
    if not hasattr(env, "function_uses"):
        env.function_uses, env.function_pages = {}, {}


def purge(app, env, docname):
    """Drop the entries of a page that is read again or was removed."""
    env.function_uses.pop(docname, None)
    if docname == PAGE:
        env.function_pages.clear()


def merge(app, env, docnames, other):
    """Add the entries of another reading process."""
    env.function_uses |= other.function_uses
    env.function_pages |= other.function_pages


def read(app, doctree):
    """Record the functions that a page explains or uses; link names in prose."""
    env = app.env
    if env.docname == PAGE:
        env.function_pages = dict(explained(doctree))
        return
    if env.docname.startswith(CHAPTERS):
        env.function_uses[env.docname] = {
            name
            for block in doctree.findall(nodes.literal_block)
            for name in full_names(block.astext())
            if name in NAMES.values()
        }
    for literal in list(doctree.findall(nodes.literal)):
        name = NAMES.get(literal.astext().removesuffix("()"))
        if name and not stands_in_link(literal):
            reference = addnodes.pending_xref(
                "", refdomain="py", reftype="func", reftarget=name, refdoc=env.docname
            )
            literal.replace_self(reference)
            reference += literal


def explained(doctree):
    """Yield functions and the chapters that explain them, from a page's tables."""
    for row in doctree.findall(nodes.row):
        links = [link["reftarget"] for link in row.findall(addnodes.pending_xref)]
        if len(links) == 2 and links[1].lstrip("/").startswith(CHAPTERS):
            yield NAMES[links[0].rpartition(".")[2]], links[1].lstrip("/")


def full_names(source):
    """Yield the names that a cell imports, and its attributes as if of the library."""
    try:
        code = ast.parse(source)
    except SyntaxError:
        return  # an output, a magic command, or a deliberate error
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Attribute):
            yield f"{LIBRARY}.{ast.unparse(node).removeprefix(f'{LIBRARY}.')}"


def stands_in_link(node):
    """Return whether a node is inside a link or a heading."""
    links = nodes.reference | addnodes.pending_xref | nodes.title
    while node := node.parent:
        if isinstance(node, links):
            return True
    return False


def described(env):
    """Return page and anchor of each documented object, by full name."""
    python = env.get_domain("py")
    places = {name: (it.docname, it.node_id) for name, it in python.objects.items()}
    places |= {name: (it.docname, it.node_id) for name, it in python.modules.items()}
    return places


def sentence(app, page, before, targets):
    """Return nodes: `before`, then links to `targets` (page, anchor, name)."""
    found = [nodes.Text(before)]
    for i, (target, anchor, name) in enumerate(targets):
        uri = app.builder.get_relative_uri(page, target) + (anchor and f"#{anchor}")
        found += [
            nodes.Text(", " if i else ""),
            nodes.reference("", "", name, internal=True, refuri=uri),
        ]
    return [*found, nodes.Text(". ")]


def connect(app, doctree, docname):
    """Link the descriptions of functions to chapters, and the chapters' boxes back."""
    if docname == PAGE:
        for description in doctree.findall(addnodes.desc):
            about(app, description)
    functions = [f for f, at in app.env.function_pages.items() if at == docname]
    boxes = [
        b for b in doctree.findall(nodes.admonition) if "objectives" in b["classes"]
    ]
    if functions and boxes:
        known = described(app.env)
        targets = [
            (*known[name], nodes.literal("", name.removeprefix(f"{LIBRARY}.") + "()"))
            for name in functions
        ]
        words = sentence(app, docname, "In the library: ", targets)
        boxes[0] += nodes.paragraph("", "", *words, classes=["in-the-library"])


def about(app, description):
    """Add links to chapters below the first line of a function's description."""
    env, name = app.env, description[0]["ids"][0]
    explaining = [c for n, c in env.function_pages.items() if n == name]
    using = sorted(c for c, names in env.function_uses.items() if name in names)
    words = []
    for before, chapters in (
        ("Explained in ", explaining),
        ("At work in ", [c for c in using if c not in explaining]),
    ):
        titles = [(c, "", nodes.Text(env.titles[c].astext())) for c in chapters]
        words += sentence(app, PAGE, before, titles) if titles else []
    if words:
        description[-1].insert(
            1, nodes.paragraph("", "", *words, classes=["explained"])
        )


def renew(app, env):
    """Rewrite the library's page and the chapters, which link to each other."""
    return [PAGE, *env.function_uses]


def link_imports(app, pagename, templatename, context, doctree):
    """Link the names in import lines of chapters to their descriptions."""
    if not pagename.startswith(CHAPTERS):
        return
    known = described(app.env)

    def link(line):
        def one(word):
            name = f"{line['module']}.{word[1]}"
            if name not in known:
                return word[0]
            page, anchor = known[name]
            href = f"{app.builder.get_relative_uri(pagename, page)}#{anchor}"
            return f'<a class="to-library" href="{escape(href)}">{word[0]}</a>'

        return NAME.sub(one, line[0])

    context["body"] = IMPORT.sub(link, context["body"])


def setup(app):
    """Connect the handlers for reading, resolving and writing pages."""
    app.connect("env-before-read-docs", begin)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", read)
    app.connect("env-updated", renew)
    app.connect("doctree-resolved", connect)
    app.connect("html-page-context", link_imports)
    return {
        "version": "1",
        "env_version": 1,  # of function_uses and function_pages
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
