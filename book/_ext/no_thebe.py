"""Leave out thebe, which jupyter-book loads whether or not it is wanted.

It would fetch a program from another host, names a stranger's repository on every
page, and declares `THEBE_JS_URL` twice: an error in every page's console.
"""


def unplug(app, config):
    """Take away thebe's event handlers and its stylesheet."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            one for one in listeners if one.handler.__module__ != "sphinx_thebe"
        ]
    app.registry.css_files[:] = [
        file for file in app.registry.css_files if file[0] != "sphinx-thebe.css"
    ]


def setup(app):
    """Run when all extensions have been loaded, thebe among them."""
    app.connect("config-inited", unplug)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
