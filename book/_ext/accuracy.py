"""A table of errors of all libraries, from all results of `make bench`."""

import json
from collections import defaultdict
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

RESULTS = Path("benchmarks", "results")
LIBRARIES = {
    "softmax_lib": "softmax_lib",
    "scipy": "SciPy",
    "torch": "PyTorch",
    "onnxruntime": "ONNX Runtime",
    "jax": "JAX",
}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NO_DIGIT = {"float32": 2**23, "float64": 2**52}


def largest(lines):
    """Return the largest error of each function and dtype, by library."""
    table = defaultdict(lambda: defaultdict(float))
    for function, dtype, _, errors in lines:
        for library, error in errors.items():
            if error is not None:
                worst = table[function, dtype]
                worst[library] = max(worst[library], error)
    return table


def written(error, dtype):
    """Format an error: two decimals if it is small, a power of ten if it is large."""
    if error is None:
        return "–"
    if error >= NO_DIGIT[dtype] / 4:
        return "all"
    if error >= 1000:
        digit, power = f"{error:.0e}".split("e")
        return f"{digit}·10{str(int(power)).translate(RAISED)}"
    return f"{error:.2f}" if error < 10 else f"{error:.0f}"


class Accuracy(SphinxDirective):
    """The largest errors over all families of inputs, in ULP."""

    def run(self):
        """Return the table and the text below it."""
        lines, kinds = [], 0
        for path in sorted(Path(self.env.srcdir, RESULTS).glob("*.json")):
            self.env.note_dependency(str(path))
            lines += json.loads(path.read_text(encoding="utf-8"))["accuracy"]
            kinds += 1
        head = ["function", "dtype", *LIBRARIES.values()]
        found = largest(lines)
        functions = list(dict.fromkeys(function for function, _ in found))
        rows = [
            [
                nodes.literal("", function),
                nodes.Text(dtype),
                *(nodes.Text(written(errors.get(n), dtype)) for n in LIBRARIES),
            ]
            for (function, dtype), errors in sorted(
                found.items(), key=lambda line: functions.index(line[0][0])
            )
        ]
        families = {family for _, _, family, _ in lines}
        measured = "" if kinds == 1 else f" and {kinds} kinds of processor"
        words = (
            f"Largest error in ULP over {len(families)} families of inputs{measured}. "
            "“All” means that no digit is left; a dash, that the function is not there."
        )
        box = nodes.container(classes=["accuracy"])
        box += [table(head, rows), nodes.paragraph("", words, classes=["below"])]
        return [box]


def table(head, rows):
    """Return a docutils table."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", line(nodes.Text(name) for name in head))
    group += nodes.tbody("", *map(line, rows))
    return nodes.table("", group)


def line(cells):
    """Return a row of a docutils table."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", c)) for c in cells))


def setup(app):
    """Register the directive."""
    app.add_directive("accuracy", Accuracy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
