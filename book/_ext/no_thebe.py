"""Leave out thebe, which jupyter-book adds to every page.

It would fetch a program from another host, and its script, added twice, declares
`THEBE_JS_URL` twice: an error in the console of every page.
"""


def drop_thebe(app, pagename, templatename, context, doctree):
    """Take thebe's files out of a page's list of scripts."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            f for f in context.get(kind, []) if "thebe" not in repr(f).lower()
        ]


def setup(app):
    """Run after thebe has added itself."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
