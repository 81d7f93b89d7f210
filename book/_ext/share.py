"""Metadata for search engines and link previews, and buttons for Binder and Colab.

The addresses are known only where the site is published, so they come from the
environment. BOOK_URL is the address of the site; without it there is no sitemap and
no preview image, since both need absolute addresses. BOOK_REPOSITORY is the address of
the repository on GitHub; without it pages have no buttons that run the notebook on
Binder or Colab, and `published` directives are left out.
"""

import os
from html import escape
from pathlib import Path
from xml.sax.saxutils import escape as escape_xml

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

LONGEST = 200


class Published(SphinxDirective):
    """Content for books with a repository; REPOSITORY stands for its address."""

    has_content = True

    def run(self):
        """Return the parsed content, or nothing without a repository."""
        repository = os.environ.get("BOOK_REPOSITORY")
        if not repository:
            return []
        for i, line in enumerate(self.content):
            self.content[i] = line.replace("REPOSITORY", repository)
        return self.parse_content_to_nodes()


def read_addresses(app, config):
    """Read the addresses of site and repository from the environment."""
    if repository := os.environ.get("BOOK_REPOSITORY"):
        config.html_theme_options |= {
            "repository_url": repository,
            "repository_branch": "main",
            "use_repository_button": True,
            "launch_buttons": {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
                "notebook_interface": "jupyterlab",
            },
        }
    if address := os.environ.get("BOOK_URL"):
        config.html_baseurl = address.rstrip("/") + "/"
    config.html_context["html_baseurl"] = config.html_baseurl


def description(doctree, otherwise):
    """Return the first sentences of a page that are not in boxes or tables."""
    words = []
    for section in doctree.findall(nodes.section):
        for child in section.children:
            if isinstance(child, nodes.paragraph):
                words += child.astext().split()
    said = " ".join(words)
    if len(said) < LONGEST / 4 or "\\" in said[:LONGEST]:
        return otherwise
    if len(said) <= LONGEST:
        return said
    sentences, end, _ = said[:LONGEST].rpartition(". ")
    if len(sentences) >= LONGEST / 4:
        return sentences + end.strip()
    return said[:LONGEST].rpartition(" ")[0] + " …"


def describe(app, pagename, templatename, context, doctree):
    """Add the description of a page and its OpenGraph properties."""
    if doctree is None:
        return
    base = app.config.html_baseurl
    text = description(doctree, app.config.share_description)
    title = doctree.next_node(nodes.title)
    properties = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title.astext() if title else app.config.html_title,
        "og:description": text,
    }
    if base:
        properties |= {
            "og:url": f"{base}{pagename}.html",
            "og:image": f"{base}_static/social.png",
            "og:image:width": "1200",
            "og:image:height": "630",
            "og:image:alt": "Three scores, 2, 1 and minus 1, become three shares.",
            "twitter:card": "summary_large_image",
        }
    tags = [f'<meta name="description" content="{escape(text)}" />']
    tags += [
        f'<meta property="{name}" content="{escape(value)}" />'
        for name, value in properties.items()
    ]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags) + "\n"


def send_to_colab(app, pagename, templatename, context, doctree):
    """Point the Colab buttons to the notebooks that tools/colab.py writes."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()):
            if button.get("text") == "Colab":
                here, there = "/blob/main/notebooks/", "/blob/colab/"
                button["url"] = button["url"].replace(here, there)


def write_sitemap(app, error):
    """Write a sitemap of all pages, if the address of the site is known."""
    base = app.config.html_baseurl
    if error or not base or app.builder.name != "html":
        return
    pages = "".join(
        f"  <url><loc>{escape_xml(f'{base}{name}.html')}</loc></url>\n"
        for name in sorted(app.env.found_docs)
    )
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{pages}</urlset>\n",
        encoding="utf-8",
    )


def setup(app):
    """Register the directive and connect the handlers."""
    app.add_config_value("share_description", "", "html")
    app.connect("config-inited", read_addresses)
    app.add_directive("published", Published)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", send_to_colab, priority=900)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
