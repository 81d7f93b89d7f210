"""The graphs of cross-entropy and its gradient."""

import functools
import math

import dask.array as da
import numpy as np

from softmax_lib import _arguments
from softmax_lib.dask import _arrays, _blocks, _loss_blocks

_FLOAT64 = np.dtype(np.float64)


class Loss:
    """The loss and its gradient, which share the totals.

    All arrays have the axes of the logits: labels and totals length 1 along that of the
    classes. So each block of logits meets the labels and totals of its slices.
    """

    def __init__(self, logits, labels, axis, reduction, ignored, weight, smoothing):
        if not isinstance(reduction, str) or reduction not in _arguments.REDUCTIONS:
            got = f"got reduction={_arguments.shown(reduction)}"
            raise ValueError(f"{got}; allowed are 'none', 'mean' and 'sum'")
        smoothing = _arguments.to_smoothing(smoothing)
        self.x, self.dtype, _ = _arrays.to_scores(logits, "logits")
        self.reduction, wide = reduction, _blocks.computed_in(self.dtype)
        axis = _arguments.class_axis(axis, self.x.ndim)
        n = self.x.shape[axis]
        if weight is not None:
            weight = _arguments.class_weights(weight, n, wide)
        self.targets = _arrays.to_targets(labels, self.x, axis, wide)
        self.has_labels = self.targets.dtype.kind != "f"
        if self.has_labels:
            _, ignores = _arguments.to_ignored_label(ignored, self.targets.dtype)
            ignored = ignored if ignores else None
        elif ignored is not None:
            got = f"got ignore_index={_arguments.shown(ignored)}"
            got += " with rows of probabilities"
            raise ValueError(f"{got}; it is allowed with integer labels only")
        # Without classes nothing is spread over them.
        smoothing = smoothing if n else 0.0
        self.case = _loss_blocks.Case(axis, n, ignored, weight, smoothing)
        self.totals = _arrays.totals(self.x, (axis,))
        # The class that each block begins with.
        starts = np.cumsum([0, *self.x.chunks[axis][:-1]])
        shape = [-1 if d == axis else 1 for d in range(self.x.ndim)]
        self.starts = da.from_array(starts.reshape(shape), chunks=1)

    @property
    def _needs_labels_alone(self):
        """Whether a loss depends on the score of its label and the total alone."""
        return self.has_labels and not self.case.smoothing

    def loss(self):
        """Return the loss, reduced."""
        losses = self._losses()
        if self.reduction == "none":
            losses, rounded = losses.squeeze(self.case.axis), _blocks.rounded
            return da.map_blocks(rounded, losses, self.dtype, dtype=self.dtype)
        total = _arrays.sums(losses)
        how = {"dtype": self.dtype, "meta": _arrays.meta(0, self.dtype)}
        quotient = _loss_blocks.quotient
        return da.map_blocks(quotient, total, self._divisor, self.dtype, **how)

    def gradient(self):
        """Return the gradient of the loss with respect to the logits."""
        function, masses = _loss_blocks.gradient_of_labels, ()
        if not self._needs_labels_alone:
            function, masses = _loss_blocks.gradient_of_targets, (self._masses(),)
        arrays = self.x, self.totals, *masses, self.targets, self.starts, self._divisor
        return self._blocks(function, self.dtype, *arrays)

    def _losses(self):
        """Return the loss of each slice, with length 1 along the axis of classes."""
        x, totals, targets, starts = self.x, self.totals, self.targets, self.starts
        if self._needs_labels_alone:
            wide, find = _blocks.computed_in(self.dtype), _loss_blocks.scores_of_labels
            scores = self._blocks(find, wide, x, targets, starts, reduces=True)
            scores = scores.max(self.case.axis, keepdims=True)
            losses = _loss_blocks.losses_of_labels
            return self._blocks(losses, wide, totals, scores, targets)
        parts = self._blocks(
            _loss_blocks.losses_of_targets, _FLOAT64, x, totals, targets, starts,
            reduces=True,
        )  # fmt: skip
        return parts.sum(self.case.axis, keepdims=True)

    def _masses(self):
        """Return the sum of the weighted targets of each slice."""
        if self.has_labels:
            masses = _loss_blocks.masses_of_labels
            return self._blocks(masses, _FLOAT64, self.targets)
        masses = _loss_blocks.masses_of_probabilities
        arrays = self.targets, self.starts
        parts = self._blocks(masses, _FLOAT64, *arrays, reduces=True)
        return parts.sum(self.case.axis, keepdims=True)

    @functools.cached_property
    def _divisor(self):
        """What the sum of the losses is divided by."""
        if self.reduction != "mean":
            return 1.0
        if self.has_labels:
            weights = _loss_blocks.label_weights
            return _arrays.sums(self._blocks(weights, _FLOAT64, self.targets))
        rest = (n for d, n in enumerate(self.x.shape) if d != self.case.axis)
        return float(math.prod(rest))

    def _blocks(self, function, dtype, *arrays, reduces=False):
        """Return what a function makes of the blocks of the first array, and others.

        With `reduces` its results have length 1 along the axis of classes.
        """
        chunks, axis = list(arrays[0].chunks), self.case.axis
        if reduces:
            chunks[axis] = (1,) * len(chunks[axis])
        meta = _arrays.meta(self.x.ndim, dtype)
        how = {"chunks": chunks, "dtype": dtype, "meta": meta}
        return da.map_blocks(function, *arrays, case=self.case, **how)
