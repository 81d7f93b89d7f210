"""Unpack the figures that notebooks/helpers/figures draws for phones.

A figure holds, unseen, a second one that is as narrow as a phone. Here that one gets
a file of its own, which a page shows where its window is narrow.
"""

import re
from pathlib import Path

NARROW = "(max-width: 576px)"
HIDDEN = re.compile(r'<g class="for-phone"[^>]*>\n(.*</svg>)\s*</g>\n', re.DOTALL)
IMAGE = re.compile(r'<img [^>]*src="(?P<folder>[^"]*_images/)(?P<name>[^"/]+\.svg)"')
SIZE = re.compile(r'<svg [^>]*width="([\d.]+)pt" height="([\d.]+)pt"')


def figures(app):
    """Return the figures that hold a second one, by the name that pages know."""
    sources = {
        name: Path(app.srcdir, path) for path, name in app.builder.images.items()
    }
    return {
        name: text
        for name, path in sources.items()
        if name.endswith(".svg") and HIDDEN.search(text := path.read_text("utf-8"))
    }


def size(svg):
    """Return a figure's size as attributes of an image, whose unit is the pixel."""
    wide, high = (
        round(float(points) * 96 / 72) for points in SIZE.search(svg).groups()
    )
    return f'width="{wide}" height="{high}"'


def narrow_name(name):
    """Return the name of the file that a figure's second one gets."""
    return name.replace(".svg", "-narrow.svg")


def offer(app, pagename, templatename, context, doctree):
    """Give each image its size, and beside it the narrow one with its own."""
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
    """Write each narrow figure into a file, and take it out of the wide one."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir, app.builder.imagedir)
    for name, text in figures(app).items():
        narrow = HIDDEN.search(text)[1]
        Path(folder, narrow_name(name)).write_text(narrow + "\n", encoding="utf-8")
        Path(folder, name).write_text(HIDDEN.sub("", text), encoding="utf-8")


def setup(app):
    """Work on finished pages, and on their images when all have been copied."""
    app.connect("html-page-context", offer)
    app.connect("build-finished", unpack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
