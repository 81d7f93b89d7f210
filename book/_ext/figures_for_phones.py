"""Extract the figures that notebooks/helpers/figures draws for phones.

A figure contains a second, hidden one that is as narrow as a phone. This extension
writes it to a separate file, which pages show in narrow windows. It also takes away the
white paper that a figure has in a notebook.
"""

import re
from pathlib import Path

NARROW = "(max-width: 576px)"
HIDDEN = re.compile(r'<g class="for-phone"[^>]*>\n(.*</svg>)\s*</g>\n', re.DOTALL)
PAPER = re.compile(r'\n *<rect class="paper"[^>]*/>')
IMAGE = re.compile(r'<img [^>]*src="(?P<folder>[^"]*_images/)(?P<name>[^"/]+\.svg)"')
SIZE = re.compile(r'<svg [^>]*width="([\d.]+)pt" height="([\d.]+)pt"')


def figures(app):
    """Return the figures that contain one for phones, by file name."""
    sources = {
        name: Path(app.srcdir, path) for path, name in app.builder.images.items()
    }
    return {
        name: text
        for name, path in sources.items()
        if name.endswith(".svg") and HIDDEN.search(text := path.read_text("utf-8"))
    }


def size(svg):
    """Return the size of a figure in pixels, as attributes of an image."""
    wide, high = (
        round(float(points) * 96 / 72) for points in SIZE.search(svg).groups()
    )
    return f'width="{wide}" height="{high}"'


def narrow_name(name):
    """Return the file name of the narrow version of a figure."""
    return name.replace(".svg", "-narrow.svg")


def offer(app, pagename, templatename, context, doctree):
    """Add its size to each image, and a source with the narrow version."""
    if not IMAGE.search(context.get("body", "")):
        return
    known = figures(app)

    def both(image):
        if not (text := known.get(image["name"])):
            return image[0]
        narrow = image["folder"] + narrow_name(image["name"])
        return (
            f'<picture><source media="{NARROW}" srcset="{narrow}" '
            f"{size(HIDDEN.search(text)[1])} />{image[0]} {size(text)}"
        )

    def closed(image):
        return f"{image[0]}</picture>"

    body = IMAGE.sub(both, context["body"])
    context["body"] = re.sub(r"<picture>.*?<img [^>]*>", closed, body)


def unpack(app, error):
    """Write each narrow figure to a file, and remove it from the wide one."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir, app.builder.imagedir)
    for name, text in figures(app).items():
        narrow = HIDDEN.search(text)[1]
        Path(folder, narrow_name(name)).write_text(narrow + "\n", encoding="utf-8")
        wide = PAPER.sub("", HIDDEN.sub("", text), count=1)
        Path(folder, name).write_text(wide, encoding="utf-8")


def setup(app):
    """Change pages when they are rendered, and images after all have been copied."""
    app.connect("html-page-context", offer)
    app.connect("build-finished", unpack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
