"""Remove thebe, which jupyter-book always loads.

It would load a script from another host, names an unrelated repository on every page,
and declares `THEBE_JS_URL` twice, which is an error in the console of every page.
"""


def unplug(app, config):
    """Remove the event handlers and the stylesheet of thebe."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            one for one in listeners if one.handler.__module__ != "sphinx_thebe"
        ]
    app.registry.css_files[:] = [
        file for file in app.registry.css_files if file[0] != "sphinx-thebe.css"
    ]


def setup(app):
    """Run after all extensions, including thebe, have been loaded."""
    app.connect("config-inited", unplug)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
