"""Typeset formulas when the book is built, as MathML.

Browsers show MathML with the font that book.css names, screen readers read it, and a
page needs no script for it. JupyterLab typesets the same TeX by itself.
"""

import re

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

RENDERER = "mathml"
CLASSES = "math notranslate nohighlight"
TYPESETTER = LatexToMathML(fancy_error=False)
# The typesetter prints the space after a line that TeX adds; book.css has it for all.
EXTRA_SPACE = re.compile(r"(?<=\\\\)\[-?[\d.]+\s*[a-z]{2}\]")

logger = logging.getLogger(__name__)


def typeset(node, display):
    """Return the MathML of a formula; a formula that is wrong is a warning."""
    tex = EXTRA_SPACE.sub("", node.astext().strip())
    if r"\\" in tex and not re.match(r"\\begin\{\w+\*?\}", tex):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    try:
        return TYPESETTER.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        logger.warning("%s, in the formula %s", error, tex, location=node)
        return ""


# A line may end after any formula, so one is kept together with the marks beside it.
WITH_MARKS = re.compile(
    rf'([(\[“‘]*)(<span class="{CLASSES}"[^>]*>.*?</math></span>)([,.;:!?)\]”’]*)',
    re.DOTALL,
)


def keep_marks(app, pagename, templatename, context, doctree):
    """Wrap formulas and the punctuation marks next to them."""

    def wrapped(found):
        before, formula, after = found.groups()
        if not before and not after:
            return formula
        return f'<span class="with-mark">{before}{formula}{after}</span>'

    if "body" in context:
        context["body"] = WITH_MARKS.sub(wrapped, context["body"])


def visit_inline(writer, node):
    """Write a formula in a sentence."""
    writer.body.append(writer.starttag(node, "span", "", CLASS=CLASSES))
    writer.body.append(f"{typeset(node, display=False)}</span>")
    raise nodes.SkipNode


def visit_block(writer, node):
    """Write a displayed formula, with its number if it has one."""
    writer.body.append(writer.starttag(node, "div", CLASS=CLASSES))
    writer.body.append(typeset(node, display=True))
    if node["number"]:
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, _("Link to this equation"))
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer, which `html_math_renderer` chooses."""
    app.add_html_math_renderer(RENDERER, (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", keep_marks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
