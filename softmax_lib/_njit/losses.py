"""Cross-entropy and the vector-Jacobian products inside ``@njit``."""

import numpy as np
from numba import types

from softmax_lib import _layout
from softmax_lib._jit import inlined, kernel
from softmax_lib._kernels import cross_entropy, soft_targets, vjps
from softmax_lib._kernels import labels as label_kernels
from softmax_lib._losses_dispatch import NO_LABEL, REDUCTIONS
from softmax_lib._njit.arguments import (
    by_type,
    check_array,
    check_axes,
    is_integer,
    is_supported,
    refuse,
    value_of,
)
from softmax_lib._njit.arrays import (
    are_last,
    axis_mask,
    copy_back,
    flat,
    is_c_contiguous,
    outer_n_inner,
    plan,
    ravel_c,
    ravel_last,
    reduced_shape,
)
from softmax_lib._njit.linking import external_call

# --- labels, weights and smoothing -----------------------------------------------

_validate_labels = external_call(label_kernels.validate_labels)
_label_weight_sum = external_call(label_kernels.label_weight_sum)
_mean_loss = external_call(label_kernels.mean_loss)


@by_type
def ravel_labels(labels, shape, mask):
    """Return class indices as flat int64, one a slice."""
    if not isinstance(labels, types.Array):
        return lambda labels, shape, mask: np.full(1, np.int64(labels))
    if len(shape) == 1:
        return lambda labels, shape, mask: np.full(1, np.int64(labels[()]))

    def ravel(labels, shape, mask):
        if labels.shape != reduced_shape(shape, mask, shape[1:]):
            raise ValueError(
                "got labels of another shape; class indices have the shape of the "
                "logits without the class axis"
            )
        return as_int64(labels)

    return ravel


@by_type
def as_int64(labels):
    """Return labels as int64, flat, in C order."""
    if labels.dtype == types.uint64:
        # Larger than int64 is out of range too.
        top = np.uint64(2**63 - 1)
        return lambda labels: flat(np.minimum(labels, top).astype(np.int64))
    if labels.dtype != types.int64:
        return lambda labels: flat(labels.astype(np.int64))
    if not labels.aligned:
        return lambda labels: flat(labels.copy())
    return lambda labels: (
        flat(labels) if is_c_contiguous(labels) else flat(labels.copy())
    )


@inlined
def class_weights(weight, like, n):
    """Return the weights in the dtype of the logits; an empty array for None."""
    if weight is None:
        return np.empty(0, like.dtype)
    if weight.size != n:
        raise ValueError("got weight of another length; there is one for each class")
    for w in weight:
        if w < 0:
            raise ValueError("got a negative weight; allowed are numbers from 0 on")
    return weight.astype(like.dtype)


@inlined
def checked_smoothing(smoothing):
    """Return the label smoothing; 0 for None."""
    if smoothing is None:
        return 0.0
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError("got a label_smoothing that is no number from 0 to 1")
    return float(smoothing)


@kernel
def refuse_label(place, label, n):
    """Raise; a kernel, because a message takes Numba a while to compile."""
    raise ValueError(f"got labels.flat[{place}] = {label}; allowed are 0 to {n - 1}")


_refuse_label = external_call(refuse_label)


@inlined
def mean_divisor(labels, weight, ignore, n, mean):
    """Check the labels; return the one to ignore, and the divisor of a mean."""
    ignores = ignore is not None
    ignored = NO_LABEL if ignore is None else np.int64(ignore)
    bad, count = _validate_labels((labels, n, ignored, ignores))
    if bad >= 0:
        _refuse_label((bad, labels[bad], n))
    if not mean:
        return ignored, (1.0, 0.0)
    if weight.size:
        return ignored, _label_weight_sum((labels, weight, ignored))
    return ignored, (float(count), 0.0)


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
    mask = axis_mask(axis, x.ndim)
    source = ravel_c(x)
    indices = ravel_labels(labels, x.shape, mask)
    weights = class_weights(weight, source, x.shape[axis])
    ignored, over = mean_divisor(indices, weights, ignore, x.shape[axis], mean)
    losses = np.zeros(indices.size)
    if source.size:
        p = plan(x.shape, mask, source.itemsize, False)
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
    else:
        more = flat(grad), over[0], over[1]
        if p.layout == _layout.ROWS:
            _loss_and_grad_rows((*first, *more, *rows))
        else:
            _loss_and_grad_columns((*first, *more, *columns))


def _from_smoothed_indices(x, labels, axis, ignore, weight, smoothing, mean, grad):
    if checked_smoothing(smoothing) == 0.0:
        return fill(x, labels, axis, ignore, weight, None, mean, grad)
    mask = axis_mask(axis, x.ndim)
    source = ravel_last(x, mask)
    indices = ravel_labels(labels, x.shape, mask)
    weights = class_weights(weight, source, x.shape[axis])
    ignored, over = mean_divisor(indices, weights, ignore, x.shape[axis], mean)
    targets = np.empty(0, source.dtype)
    losses = np.zeros(indices.size)
    first = source, targets, indices, weights, ignored
    run_soft(first, checked_smoothing(smoothing), losses, grad, over, mask)
    return losses, over


def _from_probabilities(x, labels, axis, ignore, weight, smoothing, mean, grad):
    mask = axis_mask(axis, x.ndim)
    if labels.shape != x.shape:
        raise ValueError(
            "got labels of another shape; probabilities have the shape of the logits"
        )
    source = ravel_last(x, mask)
    targets = ravel_last(labels, mask).astype(source.dtype)
    weights = class_weights(weight, source, x.shape[axis])
    outer, _, inner = outer_n_inner(x.shape, mask)
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
    split = 1.0 - smoothing, smoothing / n
    results = losses, buffer, over[0], over[1], n, 0, losses.size
    _soft_target_rows((source, targets, indices, weights, ignored, *split, *results))
    copy_grad_back(buffer, grad, mask)


@by_type
def grad_buffer(grad, source, mask):
    """Return where the kernel writes the gradient: empty without one."""
    if isinstance(grad, types.NoneType):
        return lambda grad, source, mask: np.empty(0, source.dtype)
    return lambda grad, source, mask: (
        flat(grad) if are_last(mask, grad.ndim) else np.empty_like(source)
    )


@by_type
def copy_grad_back(buffer, grad, mask):
    """Write the buffer to grad, unless it is grad."""
    if isinstance(grad, types.NoneType):
        return lambda buffer, grad, mask: None

    def copy(buffer, grad, mask):
        if not are_last(mask, grad.ndim):
            copy_back(buffer, grad, mask)

    return copy


# --- results ---------------------------------------------------------------------


def _result_dtype(x):
    return np.float32 if x.dtype == types.float32 else np.float64


@by_type
def empty_grad(x):
    """Return an array for the gradient."""
    dtype = _result_dtype(x)
    return lambda x: np.empty(x.shape, dtype)


@by_type
def each_in_dtype(losses, x, axis):
    """Return the losses in the dtype and shape of the result."""
    dtype = _result_dtype(x)
    if x.ndim == 1:
        return lambda losses, x, axis: dtype(losses[0])
    return lambda losses, x, axis: losses.astype(dtype).reshape(
        reduced_shape(x.shape, axis_mask(axis, x.ndim), x.shape[1:])
    )


@by_type
def mean_in_dtype(losses, over, x):
    """Return the sum or the mean in the dtype of the result."""
    dtype = _result_dtype(x)
    return lambda losses, over, x: dtype(_mean_loss((losses, over[0], over[1])))


@kernel
def each_loss(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the loss of each slice."""
    losses, _ = fill(x, labels, axis, ignore, weight, smoothing, mean, None)
    return each_in_dtype(losses, x, axis)


@kernel
def each_loss_and_grad(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the loss of each slice, and the gradient."""
    grad = empty_grad(x)
    losses, _ = fill(x, labels, axis, ignore, weight, smoothing, mean, grad)
    return each_in_dtype(losses, x, axis), grad


@kernel
def loss(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the mean or the sum of the losses."""
    losses, over = fill(x, labels, axis, ignore, weight, smoothing, mean, None)
    return mean_in_dtype(losses, over, x)


@kernel
def loss_and_grad(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the mean or the sum of the losses, and its gradient."""
    grad = empty_grad(x)
    losses, over = fill(x, labels, axis, ignore, weight, smoothing, mean, grad)
    return mean_in_dtype(losses, over, x), grad


def _check_labels(name, logits, labels, ignore_index):
    dtype = getattr(labels, "dtype", labels)
    ndim = labels.ndim if isinstance(labels, types.Array) else 0
    if is_integer(dtype):
        valid = ndim == logits.ndim - 1
    else:
        valid = dtype in (types.float32, types.float64) and ndim == logits.ndim
    if not valid:
        allowed = (
            f"integers of {logits.ndim - 1} dimensions (class indices), and floats "
            f"of {logits.ndim} dimensions (probabilities)"
        )
        refuse(name, "labels", labels, allowed)
    ignores = value_of(ignore_index) is not None
    if ignores and not (is_integer(ignore_index) and is_integer(dtype)):
        refuse(
            name, "ignore_index", ignore_index, "None, and an int with class indices"
        )


def type_cross_entropy(function):
    """Return the typing function of cross-entropy, with or without its gradient."""
    name = function.__name__
    with_grad = name.endswith("_and_grad")
    of_each = each_loss_and_grad if with_grad else each_loss
    of_all = loss_and_grad if with_grad else loss
    of_each = external_call(of_each, any_layout=True)
    of_all = external_call(of_all, any_layout=True)

    def choose(
        logits,
        labels,
        axis=-1,
        reduction="mean",
        ignore_index=None,
        weight=None,
        label_smoothing=0.0,
    ):
        check_array(name, "logits", logits)
        if logits.ndim == 0:
            refuse(name, "logits", logits, "arrays of one dimension and more")
        _check_labels(name, logits, labels, ignore_index)
        if not is_integer(axis):
            refuse(name, "axis", axis, "one int, the axis of classes")
        chosen = value_of(reduction)
        if chosen not in REDUCTIONS:
            refuse(name, "reduction", reduction, "a literal 'none', 'mean' or 'sum'")
        if value_of(weight) is not None:
            check_array(name, "weight", weight)
            if weight.ndim != 1:
                refuse(name, "weight", weight, "None, and arrays of one dimension")
        smoothing = value_of(label_smoothing)
        if not is_supported(smoothing) and type(smoothing) not in (float, int):
            refuse(name, "label_smoothing", label_smoothing, "a number from 0 to 1")
        delegate = of_each if chosen == "none" else of_all
        mean = chosen == "mean"
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
            given = label_smoothing if smooths else None
            return delegate((logits, labels, axis, ignore_index, weight, given, mean))

        return impl

    return choose


# --- vector-Jacobian products ----------------------------------------------------


@by_type
def vjp(result, g, axis, rows):
    """Return the gradient with respect to the scores, from a kernel by rows."""
    narrow = result.dtype == g.dtype == types.float32
    dtype = np.float32 if narrow else np.float64

    def impl(result, g, axis, rows):
        if result.shape != g.shape:
            raise ValueError("got two arrays of different shapes")
        mask = axis_mask(axis, result.ndim)
        first = ravel_last(in_dtype(result, dtype), mask)
        second = ravel_last(in_dtype(g, dtype), mask)
        back = np.empty(result.shape, dtype)
        if first.size:
            n = outer_n_inner(result.shape, mask)[1]
            target = grad_buffer(back, first, mask)
            rows((first, second, target, n, 0, first.size // n))
            copy_grad_back(target, back, mask)
        return back

    return impl


@by_type
def in_dtype(x, dtype):
    """Return x in a dtype."""
    if x.dtype == dtype.dtype:
        return lambda x, dtype: x
    return lambda x, dtype: x.astype(dtype)


_softmax_vjp_rows = external_call(vjps.softmax_vjp_rows)
_log_softmax_vjp_rows = external_call(vjps.log_softmax_vjp_rows)


@kernel
def softmax_vjp(p, g, axis):
    """Vector-Jacobian product of softmax."""
    return vjp(p, g, axis, _softmax_vjp_rows)


@kernel
def log_softmax_vjp(logp, g, axis):
    """Vector-Jacobian product of log-softmax."""
    return vjp(logp, g, axis, _log_softmax_vjp_rows)


def type_softmax_vjp(function):
    """Return the typing function of `softmax_vjp`."""
    delegate = external_call(softmax_vjp, any_layout=True)

    def choose(p, g, axis=-1):
        _check_two("softmax_vjp", "p", p, g, axis)
        return lambda p, g, axis=-1: delegate((p, g, axis))

    return choose


def type_log_softmax_vjp(function):
    """Return the typing function of `log_softmax_vjp`."""
    delegate = external_call(log_softmax_vjp, any_layout=True)

    def choose(logp, g, axis=-1):
        _check_two("log_softmax_vjp", "logp", logp, g, axis)
        return lambda logp, g, axis=-1: delegate((logp, g, axis))

    return choose


def _check_two(name, first, result, g, axis):
    check_array(name, first, result)
    check_array(name, "g", g)
    if g.ndim != result.ndim:
        refuse(name, "g", g, f"arrays of {result.ndim} dimensions, as {first}")
    check_axes(name, axis)
