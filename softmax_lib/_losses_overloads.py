"""Losses and gradients inside @njit, as `_overloads` has the activations."""

import numpy as np
from numba import types
from numba.extending import overload

from softmax_lib import losses
from softmax_lib._jit import formula, kernel
from softmax_lib._kernels import labels as label_kernels
from softmax_lib._kernels import loss_tiles, soft_losses, vjps
from softmax_lib._kernels import losses as loss_rows
from softmax_lib._linking import apart
from softmax_lib._losses_dispatch import NO_LABEL, REDUCTIONS
from softmax_lib._typed_arguments import (
    check_array,
    check_axes,
    is_integer,
    is_number,
    refuse,
    value_of,
)
from softmax_lib._typed_arrays import (
    are_last,
    axes_last,
    bits_of,
    flat,
    folded,
    in_order,
    is_packed,
    left_of,
    plan,
    put_back,
)

# --- labels, weights and smoothing -----------------------------------------------

_first_bad_and_count = apart(label_kernels.first_bad_and_count)
_weight_of = apart(label_kernels.weight_of)
_mean_of = apart(label_kernels.mean_of)


def flat_labels(labels, shape, bits):
    """Return integer labels as flat int64, one a slice; a stub for Numba."""


@overload(flat_labels)
def _flat_labels(labels, shape, bits):
    if not isinstance(labels, types.Array):
        return lambda labels, shape, bits: np.full(1, np.int64(labels))
    if len(shape) == 1:
        return lambda labels, shape, bits: np.full(1, np.int64(labels[()]))

    def impl(labels, shape, bits):
        if labels.shape != left_of(shape, bits, shape[1:]):
            raise ValueError(
                "got labels of another shape; class numbers have the shape of the "
                "logits without the class axis"
            )
        return as_int64(labels)

    return impl


def as_int64(labels):
    """Return labels as int64, flat, in C order; a stub for Numba."""


@overload(as_int64)
def _as_int64(labels):
    if labels.dtype == types.uint64:
        # Beyond int64 there is no class either.
        top = np.uint64(2**63 - 1)
        return lambda labels: flat(np.minimum(labels, top).astype(np.int64))
    if labels.dtype != types.int64:
        return lambda labels: flat(labels.astype(np.int64))
    if not labels.aligned:
        return lambda labels: flat(labels.copy())
    return lambda labels: flat(labels) if is_packed(labels) else flat(labels.copy())


@formula
def factors(weight, like, n):
    """Return the weights in the dtype of the logits; none of them for None."""
    if weight is None:
        return np.empty(0, like.dtype)
    if weight.size != n:
        raise ValueError("got weight of another length; there is one for each class")
    for w in weight:
        if w < 0:
            raise ValueError("got a negative weight; allowed are numbers from 0 on")
    return weight.astype(like.dtype)


@formula
def checked(smoothing):
    """Return how much of each label is shared out; nothing for None."""
    if smoothing is None:
        return 0.0
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError("got a label_smoothing that is no number from 0 to 1")
    return float(smoothing)


@kernel
def refuse_label(place, label, n):
    """Raise; apart, because making a message takes Numba a while to compile."""
    raise ValueError(f"got labels.flat[{place}] = {label}; allowed are 0 to {n - 1}")


_refuse_label = apart(refuse_label)


@formula
def divisor_of(labels, weight, ignore, n, mean):
    """Check the labels; return the one to ignore, and what a mean is divided by."""
    ignores = ignore is not None
    ignored = NO_LABEL if ignore is None else np.int64(ignore)
    bad, count = _first_bad_and_count((labels, n, ignored, ignores))
    if bad >= 0:
        _refuse_label((bad, labels[bad], n))
    if not mean:
        return ignored, (1.0, 0.0)
    if weight.size:
        return ignored, _weight_of((labels, weight, ignored))
    return ignored, (float(count), 0.0)


# --- cross-entropy ---------------------------------------------------------------

_loss_rows = apart(loss_rows.loss_rows)
_loss_and_grad_rows = apart(loss_rows.loss_and_grad_rows)
_loss_tiles = apart(loss_tiles.loss_tiles)
_loss_and_grad_tiles = apart(loss_tiles.loss_and_grad_tiles)
_soft_rows = apart(soft_losses.soft_rows)


def fill(x, labels, axis, ignore, weight, smoothing, mean, grad):
    """Return each loss, and what a mean is divided by; a stub for Numba.

    The gradient is written to grad, unless it is None.
    """


@overload(fill)
def _fill(x, labels, axis, ignore, weight, smoothing, mean, grad):
    if isinstance(getattr(labels, "dtype", labels), types.Float):
        return _fill_from_shares
    if isinstance(smoothing, types.NoneType):
        return _fill_from_labels
    return _fill_from_smooth_labels


def _fill_from_labels(x, labels, axis, ignore, weight, smoothing, mean, grad):
    bits = bits_of(axis, x.ndim)
    source = in_order(x)
    numbers = flat_labels(labels, x.shape, bits)
    scales = factors(weight, source, x.shape[axis])
    ignored, over = divisor_of(numbers, scales, ignore, x.shape[axis], mean)
    each = np.zeros(numbers.size)
    if source.size:
        fill_rows(source, numbers, scales, ignored, each, grad, over, x.shape, bits)
    return each, over


def fill_rows(x, labels, weight, ignored, each, grad, over, shape, bits):
    """Run the kernel that suits the shape; a stub for Numba."""


@overload(fill_rows)
def _fill_rows(x, labels, weight, ignored, each, grad, over, shape, bits):
    def loss(x, labels, weight, ignored, each, grad, over, shape, bits):
        by_columns, n, inner, gap, wide, last = plan(shape, bits, x.itemsize)
        first = x, labels, weight, ignored, each
        if by_columns:
            _loss_tiles((*first, n, inner, gap, wide, 0, last))
        else:
            _loss_rows((*first, n, 0, last))

    def loss_and_grad(x, labels, weight, ignored, each, grad, over, shape, bits):
        by_columns, n, inner, gap, wide, last = plan(shape, bits, x.itemsize)
        first = x, labels, weight, ignored, each, flat(grad), over[0], over[1]
        if by_columns:
            _loss_and_grad_tiles((*first, n, inner, gap, wide, 0, last))
        else:
            _loss_and_grad_rows((*first, n, 0, last))

    return loss if isinstance(grad, types.NoneType) else loss_and_grad


def _fill_from_smooth_labels(x, labels, axis, ignore, weight, smoothing, mean, grad):
    if checked(smoothing) == 0.0:
        return fill(x, labels, axis, ignore, weight, None, mean, grad)
    bits = bits_of(axis, x.ndim)
    source = axes_last(x, bits)
    numbers = flat_labels(labels, x.shape, bits)
    scales = factors(weight, source, x.shape[axis])
    ignored, over = divisor_of(numbers, scales, ignore, x.shape[axis], mean)
    shares = np.empty(0, source.dtype)
    each = np.zeros(numbers.size)
    arguments = source, shares, numbers, scales, ignored, checked(smoothing), each
    fill_shares(arguments, grad, over, x.shape[axis], bits)
    return each, over


def _fill_from_shares(x, labels, axis, ignore, weight, smoothing, mean, grad):
    bits = bits_of(axis, x.ndim)
    if labels.shape != x.shape:
        raise ValueError(
            "got labels of another shape; probabilities have the shape of the logits"
        )
    source = axes_last(x, bits)
    shares = axes_last(labels, bits).astype(source.dtype)
    scales = factors(weight, source, x.shape[axis])
    outer, _, inner = folded(x.shape, bits)
    each = np.zeros(outer * inner)
    over = float(each.size) if mean else 1.0, 0.0
    numbers = np.empty(0, np.int64)
    arguments = source, shares, numbers, scales, NO_LABEL, checked(smoothing), each
    fill_shares(arguments, grad, over, x.shape[axis], bits)
    return each, over


@formula
def fill_shares(arguments, grad, over, n, bits):
    """Run the kernel of shares."""
    source, shares, numbers, scales, ignored, smoothing, each = arguments
    if not source.size:
        return
    if not scales.size:
        scales = np.ones(n, source.dtype)
    room = room_for(grad, source, bits)
    kept = 1.0 - smoothing, smoothing / n
    results = each, room, over[0], over[1], n, 0, each.size
    _soft_rows((source, shares, numbers, scales, ignored, *kept, *results))
    take_gradient(room, grad, bits)


def room_for(grad, source, bits):
    """Return where the kernel writes the gradient, if anywhere; a stub for Numba."""


@overload(room_for)
def _room_for(grad, source, bits):
    if isinstance(grad, types.NoneType):
        return lambda grad, source, bits: np.empty(0, source.dtype)

    def impl(grad, source, bits):
        return flat(grad) if are_last(bits, grad.ndim) else np.empty_like(source)

    return impl


def take_gradient(room, grad, bits):
    """Write to grad what it was not itself the room for; a stub for Numba."""


@overload(take_gradient)
def _take_gradient(room, grad, bits):
    if isinstance(grad, types.NoneType):
        return lambda room, grad, bits: None

    def impl(room, grad, bits):
        if not are_last(bits, grad.ndim):
            put_back(room, grad, bits)

    return impl


# --- what of it is returned ------------------------------------------------------


def room_like(x):
    """Return an array for the gradient; a stub for Numba."""


@overload(room_like)
def _room_like(x):
    dtype = np.float32 if x.dtype == types.float32 else np.float64
    return lambda x: np.empty(x.shape, dtype)


def rounded(each, x, axis):
    """Return the losses in the dtype and shape of the result; a stub for Numba."""


@overload(rounded)
def _rounded(each, x, axis):
    dtype = np.float32 if x.dtype == types.float32 else np.float64
    if x.ndim == 1:
        return lambda each, x, axis: dtype(each[0])

    def impl(each, x, axis):
        left = left_of(x.shape, bits_of(axis, x.ndim), x.shape[1:])
        return each.astype(dtype).reshape(left)

    return impl


def mean_of(each, over, x):
    """Return the sum or the mean in the dtype of the result; a stub for Numba."""


@overload(mean_of)
def _mean_of_losses(each, over, x):
    dtype = np.float32 if x.dtype == types.float32 else np.float64
    return lambda each, over, x: dtype(_mean_of((each, over[0], over[1])))


@kernel
def each_loss(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the loss of each slice."""
    each, _ = fill(x, labels, axis, ignore, weight, smoothing, mean, None)
    return rounded(each, x, axis)


@kernel
def each_loss_and_grad(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the loss of each slice, and the gradient."""
    grad = room_like(x)
    each, _ = fill(x, labels, axis, ignore, weight, smoothing, mean, grad)
    return rounded(each, x, axis), grad


@kernel
def loss(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the mean or the sum of the losses."""
    each, over = fill(x, labels, axis, ignore, weight, smoothing, mean, None)
    return mean_of(each, over, x)


@kernel
def loss_and_grad(x, labels, axis, ignore, weight, smoothing, mean):
    """Return the mean or the sum of the losses, and its gradient."""
    grad = room_like(x)
    each, over = fill(x, labels, axis, ignore, weight, smoothing, mean, grad)
    return mean_of(each, over, x), grad


def _check_labels(name, logits, labels, ignore_index):
    kind = getattr(labels, "dtype", labels)
    ndim = labels.ndim if isinstance(labels, types.Array) else 0
    if is_integer(kind):
        fine = ndim == logits.ndim - 1
    else:
        fine = kind in (types.float32, types.float64) and ndim == logits.ndim
    if not fine:
        allowed = (
            f"integers of {logits.ndim - 1} dimensions (class numbers), and floats "
            f"of {logits.ndim} dimensions (probabilities)"
        )
        refuse(name, "labels", labels, allowed)
    ignores = value_of(ignore_index) is not None
    if ignores and not (is_integer(ignore_index) and is_integer(kind)):
        refuse(
            name, "ignore_index", ignore_index, "None, and an int with class numbers"
        )


def _cross_entropy(function, of_each, of_all):
    name = function.__name__
    of_each = apart(of_each, any_layout=True)
    of_all = apart(of_all, any_layout=True)

    @overload(function, prefer_literal=True)
    def typed(
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
        if not is_number(smoothing) and type(smoothing) not in (float, int):
            refuse(name, "label_smoothing", label_smoothing, "a number from 0 to 1")
        delegate = of_each if chosen == "none" else of_all
        mean = chosen == "mean"
        if type(smoothing) is float and smoothing == 0.0:
            # Not given: floats have no literal types.
            return _without_smoothing(delegate, mean)
        return _with_smoothing(delegate, mean)


def _without_smoothing(delegate, mean):
    def impl(
        logits,
        labels,
        axis=-1,
        reduction="mean",
        ignore_index=None,
        weight=None,
        label_smoothing=0.0,
    ):
        return delegate((logits, labels, axis, ignore_index, weight, None, mean))

    return impl


def _with_smoothing(delegate, mean):
    def impl(
        logits,
        labels,
        axis=-1,
        reduction="mean",
        ignore_index=None,
        weight=None,
        label_smoothing=0.0,
    ):
        arguments = logits, labels, axis, ignore_index, weight, label_smoothing, mean
        return delegate(arguments)

    return impl


_cross_entropy(losses.cross_entropy, each_loss, loss)
_cross_entropy(losses.cross_entropy_and_grad, each_loss_and_grad, loss_and_grad)


# --- gradients of softmax and log-softmax ----------------------------------------


def vjp(result, g, axis, rows):
    """Return what is passed back, from the kernel by rows; a stub for Numba."""


@overload(vjp)
def _vjp(result, g, axis, rows):
    narrow = result.dtype == g.dtype == types.float32
    dtype = np.float32 if narrow else np.float64

    def impl(result, g, axis, rows):
        if result.shape != g.shape:
            raise ValueError("got two arrays of different shapes")
        bits = bits_of(axis, result.ndim)
        first = axes_last(in_dtype(result, dtype), bits)
        second = axes_last(in_dtype(g, dtype), bits)
        back = np.empty(result.shape, dtype)
        if first.size:
            n = folded(result.shape, bits)[1]
            direct = are_last(bits, result.ndim)
            target = flat(back) if direct else np.empty_like(first)
            rows((first, second, target, n, 0, first.size // n))
            if not direct:
                put_back(target, back, bits)
        return back

    return impl


def in_dtype(x, dtype):
    """Return x in a dtype; a stub for Numba."""


@overload(in_dtype)
def _in_dtype(x, dtype):
    if x.dtype == dtype.dtype:
        return lambda x, dtype: x
    return lambda x, dtype: x.astype(dtype)


_softmax_vjp_rows = apart(vjps.softmax_vjp_rows)
_log_softmax_vjp_rows = apart(vjps.log_softmax_vjp_rows)


@kernel
def softmax_vjp_along(p, g, axis):
    """Return what softmax passes back."""
    return vjp(p, g, axis, _softmax_vjp_rows)


@kernel
def log_softmax_vjp_along(logp, g, axis):
    """Return what log_softmax passes back."""
    return vjp(logp, g, axis, _log_softmax_vjp_rows)


def _check_two(name, first, result, g, axis):
    check_array(name, first, result)
    check_array(name, "g", g)
    if g.ndim != result.ndim:
        refuse(name, "g", g, f"arrays of {result.ndim} dimensions, as {first}")
    check_axes(name, axis)


_softmax_vjp = apart(softmax_vjp_along, any_layout=True)
_log_softmax_vjp = apart(log_softmax_vjp_along, any_layout=True)


@overload(losses.softmax_vjp)
def _typed_softmax_vjp(p, g, axis=-1):
    _check_two("softmax_vjp", "p", p, g, axis)
    return lambda p, g, axis=-1: _softmax_vjp((p, g, axis))


@overload(losses.log_softmax_vjp)
def _typed_log_softmax_vjp(logp, g, axis=-1):
    _check_two("log_softmax_vjp", "logp", logp, g, axis)
    return lambda logp, g, axis=-1: _log_softmax_vjp((logp, g, axis))
