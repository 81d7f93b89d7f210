"""From one path to the next: rows of numbers, through as many paths as they need.

A kernel writes NaN where it is not certain. Slices whose result is NaN anyway, or is
known without computing, are those with NaN, with +inf, or with nothing but -inf; the
largest score of each other slice is finite.
"""

import numpy as np

from softmax_lib._exact import first_kernels as first
from softmax_lib._exact import second_kernels as second
from softmax_lib._exact import third
from softmax_lib._threads import run

_FLOAT32 = np.dtype(np.float32)

# How many times as long as softmax a path takes, which decides about threads.
FIRST_COST, SECOND_COST = 3, 40


class Function:
    """A function of slices: its kernels, and its last path."""

    def __init__(self, name, reduces=False):
        self._name, self.reduces = name, reduces

    def fill(self, x, out):
        """Write the function of each row of x to out; both are flat or have rows."""
        if x.dtype == _FLOAT32:
            candidates = self._first(x, out)
        else:
            self._second(x, out)
            candidates = np.flatnonzero(np.isnan(_rows(out)).any(axis=1))
        if not candidates.size:
            return
        candidates = self._uncertain(out, self._set_special(x, out, candidates))
        if x.dtype == _FLOAT32 and candidates.size:
            part = np.empty((candidates.size, *out.shape[1:]), out.dtype)
            self._second(x[candidates].astype(np.float64), part)
            # What was certain before may not be now.
            before = out[candidates]
            out[candidates] = np.where(np.isnan(before), part, before)
        for row in self._uncertain(out, candidates):
            self._third(x, out, row)

    def _first(self, x, out):
        """Fill out by the first path; return the rows that may not be certain."""
        count, n = x.shape
        short = n <= first.MAX_SHORT_ROW and count >= 4 + n // 16
        tasks = -(-count // first.LANES) if short else count
        marks = np.zeros(tasks, np.uint8)
        shape = (n, count) if short else (n,)
        kernel = getattr(first, self._name + ("_tiles" if short else "_rows"))
        arguments = x.reshape(-1), out.reshape(-1), marks, *shape
        run(kernel, arguments, tasks, x.size, FIRST_COST * x.nbytes)
        if self.reduces:
            return np.flatnonzero(np.isnan(out))
        marked = marks.nonzero()[0]
        if short and marked.size:
            marked = np.add.outer(marked * first.LANES, np.arange(first.LANES))
            marked = marked[marked < count]
        return marked

    def _second(self, x, out):
        """Fill out by the second path, for float64 scores."""
        kernel = getattr(second, f"{self._name}_to_{out.dtype}")
        arguments = x.reshape(-1), out.reshape(-1), x.shape[1]
        run(kernel, arguments, len(x), x.size, SECOND_COST * x.nbytes)

    def _set_special(self, x, out, rows):
        """Set the results of special rows among these; return the others."""
        tops = x[rows].max(axis=1)
        special = ~np.isfinite(tops)
        if self.reduces:
            # The largest score is NaN if there is one.
            out[rows[special]] = tops[special]
        return rows[~special]

    def _uncertain(self, out, rows):
        """Return those of the rows, none of them special, that have NaN."""
        return rows[np.isnan(_rows(out[rows])).any(axis=1)]

    def _third(self, x, out, row):
        """Set what is still not certain in a row."""
        results = out[row : row + 1] if self.reduces else out[row]
        left = np.flatnonzero(np.isnan(results))
        function = getattr(third, self._name)
        results[left] = function(x[row].tolist(), left.tolist(), out.dtype)


def _rows(out):
    return out if out.ndim == 2 else out[:, np.newaxis]


class Elementwise:
    """The sigmoid, through its paths."""

    def fill(self, x, out):
        """Write the sigmoid of each entry of x to out; both are flat."""
        if x.dtype == _FLOAT32:
            pieces = -(-x.size // first.PIECE)
            marks = np.zeros(pieces, np.uint8)
            arguments = x, out, marks, x.size
            cost = FIRST_COST * x.nbytes
            run(first.sigmoid_pieces, arguments, pieces, x.size, cost)
            if not marks.any():
                return
        else:
            run(second.sigmoid_to_float64, (x, out, 1), x.size, x.size, x.nbytes * 40)
        left = np.flatnonzero(np.isnan(out) & ~np.isnan(x))
        if x.dtype == _FLOAT32 and left.size:
            part = np.empty(left.size, out.dtype)
            second.sigmoid_to_float32(x[left].astype(np.float64), part, 1, 0, left.size)
            out[left] = part
            left = left[np.isnan(part)]
        for i in left:
            out[i] = third.sigmoid(float(x[i]), out.dtype)


softmax = Function("softmax")
log_softmax = Function("log_softmax")
logsumexp = Function("logsumexp", reduces=True)
sigmoid = Elementwise()
