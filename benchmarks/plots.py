"""Plot the results of `benchmarks.run`: speed over size, and errors.

Usage: python -m benchmarks.plots results/KIND.json folder
"""

import json
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

matplotlib.use("Agg")

COLOURS = {
    "softmax_lib": "#c1272d",
    "torch": "#e08214",
    "onnxruntime": "#5e3c99",
    "jax": "#1b7837",
    "scipy": "#2166ac",
    "copy": "#888888",
}


def speed(lines, path):
    """Draw nanoseconds per number over the size of the array, and those of a copy."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for peer in COLOURS:
        points = [(size, 1e9 * t[peer] / size) for size, t in lines if peer in t]
        if points:
            axes.loglog(
                *zip(*points, strict=True),
                marker="o",
                markersize=3,
                label=peer,
                color=COLOURS[peer],
                linewidth=2.2 if peer == "softmax_lib" else 1.2,
                linestyle="--" if peer == "copy" else "-",
            )
    axes.set_xlabel("numbers in the array (rows of a thousand, float32)")
    axes.set_ylabel("nanoseconds per number")
    axes.set_title("Softmax on one thread")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3, which="both", linewidth=0.4)
    figure.savefig(path)
    plt.close(figure)


def error(table, path):
    """Draw the largest error of softmax in float32 for each family of inputs."""
    lines = {
        family: errors
        for name, dtype, family, errors in table
        if name == "softmax" and dtype == "float32"
    }
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for i, peer in enumerate(c for c in COLOURS if c != "copy"):
        values = [min(e[peer], 1e9) if peer in e else None for e in lines.values()]
        points = [(v, y) for y, v in enumerate(values) if v]
        axes.scatter(
            [v for v, _ in points],
            [y + (i - 2) * 0.12 for _, y in points],
            label=peer,
            color=COLOURS[peer],
            s=22,
        )
    axes.axvline(2, color="#888888", linewidth=1, linestyle="--")
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), list(lines))
    axes.invert_yaxis()
    axes.set_xlabel("largest error of softmax in float32, ULP (dashed: 2)")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3, axis="x", linewidth=0.4)
    figure.savefig(path)
    plt.close(figure)


def main():
    """Draw both plots."""
    results = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    speed(results["by_size"], folder / "speed.svg")
    error(results["accuracy"], folder / "error.svg")


if __name__ == "__main__":
    main()
