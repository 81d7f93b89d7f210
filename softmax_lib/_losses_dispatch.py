"""Arranges logits and labels for the kernels of losses and gradients.

As `_dispatch` does for the functions of one array.
"""

import math
import operator

import numpy as np
from numpy.exceptions import AxisError

from softmax_lib import _threads
from softmax_lib._arguments import normalised, taken
from softmax_lib._dispatch import as_columns, known_width
from softmax_lib._kernels import (
    labels,
    loss_tiles,
    losses,
    parallel_losses,
    soft_losses,
    vjps,
)

REDUCTIONS = ("none", "mean", "sum")
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_INT64 = np.dtype(np.int64)
# Kernels take a place that holds nothing for an argument that was not given.
_NOTHING = {np.dtype(t): np.empty(0, t) for t in (np.float32, np.float64, np.int64)}
# On one thread and on several, without and with the gradient.
_BY_ROWS = (
    (losses.loss_rows, parallel_losses.loss_in_rows),
    (losses.loss_and_grad_rows, parallel_losses.loss_and_grad_in_rows),
)
_BY_TILES = (
    (loss_tiles.loss_tiles, parallel_losses.loss_in_tiles),
    (loss_tiles.loss_and_grad_tiles, parallel_losses.loss_and_grad_in_tiles),
)
# No label is ignored: this one is out of range in any case.
NO_LABEL = -1


def cross_entropy(logits, given, axis, reduction, ignore, weight, smoothing, gradient):
    """Return the loss, and the gradient with respect to the logits if wanted."""
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(
            f"got reduction={reduction!r}; allowed are 'none', 'mean' and 'sum'"
        )
    if type(smoothing) is not float or smoothing != 0.0:
        smoothing = _checked_smoothing(smoothing)
    a, dtype = _logits(logits)
    axis = _one_axis(axis, a.ndim)
    n = a.shape[axis]
    if weight is not None:
        weight = _weight(weight, n, a.dtype)
    rows_shape = a.shape[:axis] + a.shape[axis + 1 :]
    t = _label_array(given)
    if t.dtype.kind == "f":
        if ignore is not None:
            raise ValueError(
                f"got ignore_index={ignore!r} with rows of probabilities; it is "
                "allowed with integer labels only"
            )
        if t.shape != a.shape:
            raise ValueError(
                f"got labels of shape {t.shape} and dtype {t.dtype}; probabilities "
                f"have the shape of the logits, {a.shape}, and class numbers are "
                "integers"
            )
        each, grad = _soft(a, t, axis, weight, smoothing, reduction, gradient)
        divisor = float(each.size), 0.0
    else:
        if t.shape != rows_shape:
            raise ValueError(
                f"got labels of shape {t.shape} and dtype {t.dtype}; class numbers "
                f"have the shape of the logits without the class axis, {rows_shape} "
                f"(one-hot rows are probabilities: pass them as floats)"
            )
        ignored = NO_LABEL if ignore is None else _ignored(ignore)
        flat = _int_labels(t)
        count = _count(flat, t, n, ignored, ignore is not None)
        divisor = float(count), 0.0
        if weight is not None and reduction == "mean":
            divisor = labels.weight_of(flat, weight, ignored)
        over = divisor if reduction == "mean" else (1.0, 0.0)
        arguments = a, flat, axis, weight, ignored, over, gradient
        if smoothing == 0.0:
            each, grad = _hard(*arguments)
        else:
            each, grad = _smooth(*arguments, smoothing)
    if reduction == "none":
        loss = _rounded(each, dtype).reshape(rows_shape)[()]
    else:
        over = divisor if reduction == "mean" else (1.0, 0.0)
        loss = _rounded(labels.mean_of(each, *over), dtype)
    if not gradient:
        return loss
    return loss, _rounded(grad, dtype)


def _logits(logits):
    """Return logits as a plain array of float32 or float64, and the result's dtype."""
    if type(logits) is np.ndarray:
        dtype = logits.dtype
        if (dtype is _FLOAT64 or dtype is _FLOAT32) and logits.flags.carray:
            return logits, dtype
    a, dtype = taken(logits, "logits")
    native = a.dtype.newbyteorder("=")
    if not (a.flags.carray and a.dtype is native):
        # Kernels never write to it, but Numba compiles anew for what is read-only.
        a = np.array(a, native, order="C")
    return a, dtype


def _rounded(value, dtype):
    """Return an array or a number in dtype, infinite where it is too large for it."""
    if type(value) is float:
        if -6e4 < value < 6e4 or dtype is _FLOAT64:
            return dtype.type(value)
        value = np.float64(value)
    elif value.dtype is dtype:
        return value
    with np.errstate(all="ignore"):
        return value.astype(dtype)


def _one_axis(axis, ndim):
    if type(axis) is int and -ndim <= axis < ndim:
        return axis % ndim
    if isinstance(axis, tuple) or axis is None:
        raise TypeError(f"got axis={axis!r}; allowed is one int, the axis of classes")
    if ndim == 0:
        raise AxisError(axis, 0, "axis")
    return normalised(axis, ndim)[0]


def _checked_smoothing(smoothing):
    try:
        fine = bool(0.0 <= smoothing <= 1.0)
    except (TypeError, ValueError):
        raise TypeError(
            f"got label_smoothing={smoothing!r}; allowed is a number from 0 to 1"
        ) from None
    if not fine:
        raise ValueError(
            f"got label_smoothing={smoothing!r}; allowed is a number from 0 to 1"
        )
    return float(smoothing)


def _ignored(ignore):
    if isinstance(ignore, bool | np.bool_):
        raise TypeError(f"got ignore_index={ignore!r}; allowed are an int and None")
    try:
        ignored = operator.index(ignore)
    except TypeError:
        raise TypeError(
            f"got ignore_index={ignore!r}; allowed are an int and None"
        ) from None
    # Kernels count in int64; no label of a wider type has such a value.
    return ignored if -(2**63) <= ignored < 2**63 else NO_LABEL


def _label_array(given):
    if type(given) is np.ndarray and given.dtype is _INT64:
        return given
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(
            "got masked labels, whose mask would be lost; give the entries to leave "
            "out one value of their own and pass that as ignore_index"
        )
    t = np.asarray(given)
    if t.dtype.kind in "iu":
        return t
    if t.dtype.kind == "b":
        raise TypeError(
            "got labels of dtype bool; allowed are integers (class numbers) and "
            "floats (probabilities)"
        )
    if t.size == 0 and t.dtype == _FLOAT64 and isinstance(given, list | tuple):
        # An empty list has no type of its own.
        return t.astype(np.int64)
    try:
        return taken(t)[0]
    except TypeError:
        raise TypeError(
            f"got labels of dtype {t.dtype}; allowed are integers (class numbers) and "
            "floats (probabilities)"
        ) from None


def _int_labels(t):
    if t.dtype is _INT64 and t.flags.carray:
        return t.reshape(-1)
    if t.dtype.kind == "u" and t.dtype.itemsize == 8:
        # Beyond int64 there is no class either.
        t = np.minimum(t, np.uint64(2**63 - 1))
    return np.array(t, np.int64, order="C").reshape(-1)


def _count(flat, t, n, ignored, ignores):
    """Return how many labels count; raise if one is out of range."""
    bad, count = labels.first_bad_and_count(flat, n, ignored, ignores)
    if bad >= 0:
        place = tuple(int(i) for i in np.unravel_index(bad, t.shape))
        where = f"[{', '.join(map(str, place))}]" if place else ""
        also = f", and ignore_index={ignored}" if ignores else ""
        allowed = f"0 to {n - 1}" if n else "none (there are no classes)"
        raise ValueError(f"got labels{where} = {t[place]}; allowed are {allowed}{also}")
    return count


def _weight(weight, n, dtype):
    w, _ = taken(weight, "weight")
    if w.shape != (n,):
        raise ValueError(
            f"got weight of shape {w.shape}; one for each class has shape {(n,)}"
        )
    if (w < 0).any():
        place = int(np.argmax(w < 0))
        raise ValueError(
            f"got weight[{place}] = {w[place]}; allowed are numbers from 0 on"
        )
    return np.array(w, dtype, order="C")


def _folded(a, axis):
    n = a.shape[axis]
    if axis == a.ndim - 1:
        return a.size // n, n, 1
    outer = math.prod(a.shape[:axis])
    return outer, n, math.prod(a.shape[axis + 1 :])


def _hard(a, flat, axis, weight, ignored, over, gradient):
    """Return each loss, and the gradient, for one label a row."""
    each = np.empty(flat.size)
    grad = np.empty(a.shape, a.dtype) if gradient else None
    if not a.size:
        each[:] = 0.0
        return each, grad
    outer, n, inner = _folded(a, axis)
    w = _NOTHING[a.dtype] if weight is None else weight
    x = a.reshape(-1)
    if inner == 1 and not as_columns(n, outer):
        shape, many = (n,), outer
        kernels = _BY_ROWS[gradient]
    else:
        if inner == 1:
            # Short rows lie side by side as columns do.
            outer, inner, gap = 1, outer, n
        else:
            gap = 1
        wide = known_width(n, inner, gap, a.itemsize)
        shape, many = (n, inner, gap, wide), outer * -(-inner // wide)
        kernels = _BY_TILES[gradient]
    arguments = (x, flat, w, ignored, each)
    if gradient:
        arguments += (grad.reshape(-1), *over)
    _run(*kernels, a, (*arguments, *shape), many)
    return each, grad


def _smooth(a, flat, axis, weight, ignored, over, gradient, smoothing):
    """Return each loss, and the gradient, for one label a row and smoothing."""
    moved = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    none = _NOTHING[a.dtype]
    return _by_shares(
        moved, none, flat, axis, weight, ignored, over, gradient, smoothing
    )


def _soft(a, t, axis, weight, smoothing, reduction, gradient):
    """Return each loss, and the gradient, for rows of probabilities."""
    moved = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    targets = np.moveaxis(t, axis, -1)
    if not (targets.flags.carray and targets.dtype is moved.dtype):
        targets = np.array(targets, moved.dtype, order="C")
    rows = math.prod(moved.shape[:-1])
    over = (float(rows), 0.0) if reduction == "mean" else (1.0, 0.0)
    flat = targets.reshape(-1)
    none = _NOTHING[_INT64]
    return _by_shares(
        moved, flat, none, axis, weight, NO_LABEL, over, gradient, smoothing
    )


def _by_shares(moved, targets, flat, axis, weight, ignored, over, gradient, smoothing):
    n = moved.shape[-1]
    rows = math.prod(moved.shape[:-1])
    each = np.zeros(rows)
    grad = np.empty(moved.shape, moved.dtype) if gradient else None
    if moved.size:
        arguments = (
            moved.reshape(-1),
            targets,
            flat,
            np.ones(n, moved.dtype) if weight is None else weight,
            ignored,
            1.0 - smoothing,
            smoothing / n,
            each,
            grad.reshape(-1) if gradient else _NOTHING[moved.dtype],
            *over,
            n,
        )
        kernel, driver = soft_losses.soft_rows, parallel_losses.soft_in_rows
        _run(kernel, driver, moved, arguments, rows)
    if gradient:
        grad = np.ascontiguousarray(np.moveaxis(grad, -1, axis))
    return each, grad


def _run(serial, parallel, a, arguments, many):
    """Run a kernel over `many` rows or tiles, on all threads if that is worth it."""
    if many == 1 or _threads.one_is_enough(a.size):
        serial(*arguments, 0, many)
        return
    # A number of short rows takes up to so many times as long as with softmax.
    with _threads.several(16 * a.nbytes) as threads:
        if threads == 1:
            serial(*arguments, 0, many)
        else:
            parallel(*arguments, many, min(many, _threads.PARTS * threads))


def softmax_vjp(p, g, axis):
    """Return what softmax passes back."""
    kernels = vjps.softmax_vjp_rows, parallel_losses.softmax_vjp_in_rows
    return _vjp(kernels, p, g, axis, "p")


def log_softmax_vjp(logp, g, axis):
    """Return what log_softmax passes back."""
    kernels = vjps.log_softmax_vjp_rows, parallel_losses.log_softmax_vjp_in_rows
    return _vjp(kernels, logp, g, axis, "logp")


def _vjp(kernels, result, g, axis, name):
    (a, narrow), (b, other) = taken(result, name), taken(g, "g")
    if a.shape != b.shape:
        raise ValueError(
            f"got {name} of shape {a.shape} and g of shape {b.shape}; "
            "the shapes must be equal"
        )
    dtype = np.result_type(a.dtype, b.dtype).newbyteorder("=")
    axes = normalised(axis, a.ndim)
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    n = math.prod(a.shape[d] for d in axes)
    first, second = (_moved(v, order, dtype) for v in (a, b))
    back = np.empty(first.shape, dtype)
    if a.size:
        flat = first.reshape(-1), second.reshape(-1), back.reshape(-1), n
        _run(*kernels, first, flat, a.size // n)
    back = np.ascontiguousarray(back.transpose(np.argsort(order))).reshape(a.shape)
    return _rounded(back, narrow if narrow == other else dtype)[()]


def _moved(a, order, dtype):
    moved = a.transpose(order)
    if moved.flags.carray and moved.dtype is dtype:
        return moved
    return np.array(moved, dtype, order="C")
