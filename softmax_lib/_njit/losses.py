"""Cross-entropy inside ``@njit``."""

import numpy as np
from numba import types

from softmax_lib import _layout
from softmax_lib._arguments import NO_LABEL, REDUCTIONS
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels import cross_entropy, refine, soft_targets
from softmax_lib._njit import arguments as args
from softmax_lib._njit import arrays
from softmax_lib._njit.arguments import by_type, refuse
from softmax_lib._njit.labels import (
    checked_smoothing,
    class_weights,
    divide_by_zero,
    mean_divisor,
    mean_loss,
    ravel_labels,
)
from softmax_lib._njit.linking import external_call

_loss_rows = external_call(cross_entropy.loss_rows)
_loss_and_grad_rows = external_call(cross_entropy.loss_and_grad_rows)
_loss_columns = external_call(cross_entropy.loss_columns)
_loss_and_grad_columns = external_call(cross_entropy.loss_and_grad_columns)
_soft_target_rows = external_call(soft_targets.soft_target_rows)
_refine_slices = external_call(refine.refine_slices)
_refine_mean = external_call(refine.refine_mean)


@by_type
def fill(x, labels, axis, ignore, weight, smoothing, mean, grad):
    """Return the losses, the divisor of a mean, and what `refine` has to know.

    Write the gradient to grad.
    """
    if isinstance(getattr(labels, "dtype", labels), types.Float):
        return _from_probabilities
    if isinstance(smoothing, types.NoneType):
        return _from_class_indices
    return _from_smoothed_indices


def _from_class_indices(x, labels, axis, ignore, weight, smoothing, mean, grad):
    mask, source = arrays.axis_mask(axis, x.ndim), arrays.ravel_c(x)
    indices = ravel_labels(labels, x.shape, mask)
    n = x.shape[axis]
    weights = class_weights(weight, source, n)
    ignored, over = mean_divisor(labels, indices, weights, ignore, n, mean)
    losses, none = np.zeros(indices.size), np.empty(0, source.dtype)
    about = source, none, indices, weights, ignored, 0.0
    inner = arrays.outer_n_inner(x.shape, mask)[2]
    if source.size:
        p = arrays.plan(x.shape, mask, source.itemsize, False)
        by = over if over[0] != 0.0 else (1.0, 0.0)
        run((source, indices, weights, ignored, losses), grad, by, p)
        if weights.size:
            refine_slices(about, losses, flat_or_empty(grad, none), over, n, inner)
    return losses, over, (about, n, inner)


@inlined
def refine_slices(about, losses, grad, over, n, inner):
    """Correct losses and gradient where they left the range of numbers."""
    by = over if over[0] != 0.0 else (1.0, 0.0)
    results = losses, grad, by[0], by[1], n, inner, 0, losses.size
    _refine_slices((*about, *results))
    if over[0] == 0.0:
        divide_by_zero((grad,))


@by_type
def flat_or_empty(grad, none):
    """Return a gradient as a flat array; an empty one without it."""
    if isinstance(grad, types.NoneType):
        return lambda grad, none: none
    return lambda grad, none: arrays.flat(grad)


@inlined
def run(first, grad, over, p):
    """Run the kernel of a plan, with the gradient unless grad is None."""
    rows = p.n, 0, p.tasks
    columns = p.n, p.inner, p.slice_stride, p.tile_width, 0, p.tasks
    if grad is None:
        if p.layout == _layout.ROWS:
            _loss_rows((*first, *rows))
        else:
            _loss_columns((*first, *columns))
    elif p.layout == _layout.ROWS:
        _loss_and_grad_rows((*first, arrays.flat(grad), over[0], over[1], *rows))
    else:
        _loss_and_grad_columns((*first, arrays.flat(grad), over[0], over[1], *columns))


def _from_smoothed_indices(x, labels, axis, ignore, weight, smoothing, mean, grad):
    if checked_smoothing(smoothing) == 0.0:
        return fill(x, labels, axis, ignore, weight, None, mean, grad)
    mask = arrays.axis_mask(axis, x.ndim)
    source = arrays.ravel_last(x, mask)
    indices = ravel_labels(labels, x.shape, mask)
    n = x.shape[axis]
    weights = class_weights(weight, source, n)
    ignored, over = mean_divisor(labels, indices, weights, ignore, n, mean)
    by = checked_smoothing(smoothing)
    about = source, np.empty(0, source.dtype), indices, weights, ignored, by
    losses = run_soft(about, indices.size, grad, over, mask)
    return losses, over, (about, n, 1)


def _from_probabilities(x, labels, axis, ignore, weight, smoothing, mean, grad):
    mask = arrays.axis_mask(axis, x.ndim)
    if labels.shape != x.shape:
        raise ValueError("got probabilities of another shape than the logits")
    source = arrays.ravel_last(x, mask)
    targets = arrays.ravel_last(labels, mask).astype(source.dtype)
    weights = class_weights(weight, source, x.shape[axis])
    outer, _, inner = arrays.outer_n_inner(x.shape, mask)
    over = float(outer * inner) if mean else 1.0, 0.0
    by, none = checked_smoothing(smoothing), np.empty(0, np.int64)
    about = source, targets, none, weights, NO_LABEL, by
    losses = run_soft(about, outer * inner, grad, over, mask)
    return losses, over, (about, x.shape[axis], 1)


@inlined
def run_soft(about, rows, grad, over, mask):
    """Run the kernel of soft targets; return the losses."""
    source, targets, indices, weights, ignored, smoothing = about
    losses = np.zeros(rows + 1)
    if not source.size:
        return losses[:rows]
    n = source.size // rows
    ones = weights if weights.size else np.ones(n, source.dtype)
    buffer = grad_buffer(grad, source, mask)
    scale = 1.0 / (over[0] + over[1]) if over[0] != 0.0 else 1.0
    first = source, targets, indices, ones, ignored, smoothing
    _soft_target_rows((*first, losses, buffer, scale, n, 0, rows))
    if weights.size or losses[rows] != 0.0:
        refine_slices(about, losses[:rows], buffer, over, n, 1)
    copy_grad_back(buffer, grad, mask)
    return losses[:rows]


@by_type
def grad_buffer(grad, source, mask):
    """Return where the kernel writes the gradient: empty without one."""
    if isinstance(grad, types.NoneType):
        return lambda grad, source, mask: np.empty(0, source.dtype)
    return lambda grad, source, mask: (
        arrays.flat(grad) if arrays.are_last(mask, grad.ndim) else np.empty_like(source)
    )


@by_type
def copy_grad_back(buffer, grad, mask):
    """Write the buffer to grad, unless it is grad."""
    if isinstance(grad, types.NoneType):
        return lambda buffer, grad, mask: None

    def copy(buffer, grad, mask):
        if not arrays.are_last(mask, grad.ndim):
            arrays.copy_back(buffer, grad, mask)

    return copy


@by_type
def result_like(x):
    """Return an empty array of the dtype of the result."""
    dtype = np.float32 if x.dtype == types.float32 else np.float64
    return lambda x: np.empty(0, dtype)


@by_type
def reshape_losses(losses, x, axis):
    """Return the losses in the shape of the result."""
    if x.ndim == 1:
        return lambda losses, x, axis: losses[0]
    return lambda losses, x, axis: losses.reshape(
        arrays.reduced_shape(x.shape, arrays.axis_mask(axis, x.ndim), x.shape[1:])
    )


@inlined
def refined_mean(slices, losses, loss, over, mean):
    """Return the sum or mean of the losses, corrected where it left the range."""
    about, n, inner = slices
    usual = refine.LEAST_MEAN < loss < refine.MOST_MEAN
    if about[0].size == 0 or (usual and about[3].size == 0):
        return loss
    return _refine_mean((about, losses, loss, over[0], mean, n, inner))


def loss_form(each, with_grad):
    """Return a kernel: each loss or their mean or sum, with the gradient or not."""

    def form(x, labels, axis, ignore, weight, smoothing, mean):
        like = result_like(x)
        grad = np.empty(x.shape, like.dtype) if with_grad else None
        losses, over, slices = fill(
            x, labels, axis, ignore, weight, smoothing, mean, grad
        )
        if each:
            loss = reshape_losses(losses.astype(like.dtype), x, axis)
        else:
            total = mean_loss((losses, over[0], over[1]))
            loss = like.dtype.type(refined_mean(slices, losses, total, over, mean))
        return (loss, grad) if with_grad else loss

    name = f"{'each_loss' if each else 'loss'}{'_and_grad' if with_grad else ''}"
    return kernel(renamed(form, __name__, name))


each_loss, each_loss_and_grad = loss_form(True, False), loss_form(True, True)
loss, loss_and_grad = loss_form(False, False), loss_form(False, True)


def type_cross_entropy(function):
    """Return the typing function of cross-entropy, with or without its gradient."""
    name = function.__name__
    grad = name.endswith("_and_grad")
    of_each = external_call(each_loss_and_grad if grad else each_loss, any_layout=True)
    of_all = external_call(loss_and_grad if grad else loss, any_layout=True)

    def choose(logits, labels, axis, reduction, ignore_index, weight, label_smoothing):
        args.check_array(name, "logits", logits)
        if logits.ndim == 0:
            refuse(name, "logits", logits, "arrays of one dimension and more")
        args.check_labels(name, logits, labels, ignore_index)
        if not args.is_integer(axis):
            refuse(name, "axis", axis, "one int, the axis of classes")
        chosen = args.value_of(reduction)
        if chosen not in REDUCTIONS:
            refuse(name, "reduction", reduction, "a literal 'none', 'mean' or 'sum'")
        if args.value_of(weight) is not None:
            args.check_array(name, "weight", weight)
            if weight.ndim != 1:
                refuse(name, "weight", weight, "None, and arrays of one dimension")
        smoothing = args.value_of(label_smoothing)
        if not args.is_number(smoothing):
            refuse(name, "label_smoothing", label_smoothing, "a number from 0 to 1")
        delegate, mean = of_each if chosen == "none" else of_all, chosen == "mean"
        # A float that is not given is known here; there are no literal floats.
        smooths = not (type(smoothing) is float and smoothing == 0.0)

        def impl(
            logits,
            labels,
            axis=-1,
            reduction="mean",
            ignore_index=None,
            weight=None,
            label_smoothing=0.0,
        ):
            smoothing = label_smoothing if smooths else None
            options = ignore_index, weight, smoothing, mean
            return delegate((logits, labels, args.int_axes(axis), *options))

        return impl

    return choose
