"""Cross-entropy and the vector-Jacobian products inside ``@njit``."""

import numpy as np
from numba import types

from softmax_lib import _layout
from softmax_lib._arguments import NO_LABEL, REDUCTIONS
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels import cross_entropy, soft_targets, vjps
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

# --- cross-entropy ---------------------------------------------------------------

_loss_rows = external_call(cross_entropy.loss_rows)
_loss_and_grad_rows = external_call(cross_entropy.loss_and_grad_rows)
_loss_columns = external_call(cross_entropy.loss_columns)
_loss_and_grad_columns = external_call(cross_entropy.loss_and_grad_columns)
_soft_target_rows = external_call(soft_targets.soft_target_rows)


@by_type
def fill(x, labels, axis, ignore, weight, smoothing, mean, grad):
    """Return the losses, and the divisor of a mean; write the gradient to grad."""
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
    losses = np.zeros(indices.size)
    if source.size:
        p = arrays.plan(x.shape, mask, source.itemsize, False)
        run((source, indices, weights, ignored, losses), grad, over, p)
    return losses, over


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
    first = source, np.empty(0, source.dtype), indices, weights, ignored
    losses = np.zeros(indices.size)
    run_soft(first, checked_smoothing(smoothing), losses, grad, over, mask)
    return losses, over


def _from_probabilities(x, labels, axis, ignore, weight, smoothing, mean, grad):
    mask = arrays.axis_mask(axis, x.ndim)
    if labels.shape != x.shape:
        raise ValueError("got probabilities of another shape than the logits")
    source = arrays.ravel_last(x, mask)
    targets = arrays.ravel_last(labels, mask).astype(source.dtype)
    weights = class_weights(weight, source, x.shape[axis])
    outer, _, inner = arrays.outer_n_inner(x.shape, mask)
    losses = np.zeros(outer * inner)
    over = float(losses.size) if mean else 1.0, 0.0
    first = source, targets, np.empty(0, np.int64), weights, NO_LABEL
    run_soft(first, checked_smoothing(smoothing), losses, grad, over, mask)
    return losses, over


@inlined
def run_soft(first, smoothing, losses, grad, over, mask):
    """Run the kernel of soft targets."""
    source, targets, indices, weights, ignored = first
    if not source.size:
        return
    n = source.size // losses.size
    if not weights.size:
        weights = np.ones(n, source.dtype)
    buffer = grad_buffer(grad, source, mask)
    scale = 1.0 / (over[0] + over[1]) if over[0] != 0.0 else 1.0
    results = losses, buffer, scale, n, 0, losses.size
    _soft_target_rows((source, targets, indices, weights, ignored, smoothing, *results))
    if over[0] == 0.0:
        divide_by_zero((buffer,))
    copy_grad_back(buffer, grad, mask)


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


def loss_form(each, with_grad):
    """Return a kernel: each loss or their mean or sum, with the gradient or not."""

    def form(x, labels, axis, ignore, weight, smoothing, mean):
        like = result_like(x)
        grad = np.empty(x.shape, like.dtype) if with_grad else None
        losses, over = fill(x, labels, axis, ignore, weight, smoothing, mean, grad)
        if each:
            loss = reshape_losses(losses.astype(like.dtype), x, axis)
        else:
            loss = like.dtype.type(mean_loss((losses, over[0], over[1])))
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


# --- vector-Jacobian products ----------------------------------------------------


@by_type
def in_dtype(x, dtype):
    """Return x in a dtype."""
    if x.dtype == dtype.dtype:
        return lambda x, dtype: x
    return lambda x, dtype: x.astype(dtype)


@by_type
def vjp(result, g, axis, rows):
    """Return the gradient with respect to the scores, from a kernel by rows."""
    narrow = result.dtype == g.dtype == types.float32
    dtype = np.float32 if narrow else np.float64

    def impl(result, g, axis, rows):
        if result.shape != g.shape:
            raise ValueError("got two arrays of different shapes")
        mask = arrays.axis_mask(axis, result.ndim)
        first = arrays.ravel_last(in_dtype(result, dtype), mask)
        second = arrays.ravel_last(in_dtype(g, dtype), mask)
        back = np.empty(result.shape, dtype)
        if first.size:
            n = arrays.outer_n_inner(result.shape, mask)[1]
            target = grad_buffer(back, first, mask)
            rows((first, second, target, n, 0, first.size // n))
            copy_grad_back(target, back, mask)
        return back

    return impl


def vjp_form(rows, name):
    """Return the kernel of a vector-Jacobian product for arrays of any shape."""
    rows = external_call(rows)

    def form(result, g, axis):
        return vjp(result, g, axis, rows)

    return kernel(renamed(form, __name__, name))


softmax_vjp = vjp_form(vjps.softmax_vjp_rows, "softmax_vjp")
log_softmax_vjp = vjp_form(vjps.log_softmax_vjp_rows, "log_softmax_vjp")


def type_vjp(function):
    """Return the typing function of a vector-Jacobian product."""
    name = function.__name__
    delegate = external_call(globals()[name], any_layout=True)
    first = "p" if name == "softmax_vjp" else "logp"

    def choose(p, g, axis):
        args.check_array(name, first, p)
        args.check_array(name, "g", g)
        if g.ndim != p.ndim:
            refuse(name, "g", g, f"arrays of {p.ndim} dimensions, as {first}")
        args.check_axes(name, axis)
        return lambda p, g, axis=-1: delegate((p, g, args.int_axes(axis)))

    return choose
