"""Logits and labels in, losses and gradients out: as `_dispatch`, for the losses."""

import functools
import math

import numpy as np

from softmax_lib import _arguments, _layout
from softmax_lib._arguments import normalize_axes, to_float_array
from softmax_lib._dispatch import is_kernel_ready
from softmax_lib._kernels import cross_entropy as class_indices
from softmax_lib._kernels import labels as label_kernels
from softmax_lib._kernels import refine, soft_targets, vjps
from softmax_lib._threads import run

_FLOAT64, _INT64 = np.dtype(np.float64), np.dtype(np.int64)
# Kernels take an empty array for an argument that was not given.
_EMPTY = {np.dtype(t): np.empty(0, t) for t in (np.float32, np.float64, np.int64)}


def cross_entropy(
    logits, labels, axis, reduction, ignore_index, weight, smoothing, gradient
):
    """Return the loss, and the gradient with respect to the logits if wanted."""
    if not isinstance(reduction, str) or reduction not in _arguments.REDUCTIONS:
        allowed = "'none', 'mean' and 'sum'"
        got = f"got reduction={_arguments.shown(reduction)}"
        raise ValueError(f"{got}; allowed are {allowed}")
    if type(smoothing) is not float or smoothing != 0.0:
        smoothing = _arguments.to_smoothing(smoothing)
    if is_kernel_ready(logits):
        a, dtype = logits, logits.dtype
    else:
        a, dtype = to_float_array(logits, "logits")
        if not is_kernel_ready(a):
            a = np.array(a, np.dtype(a.dtype.type), order="C")
    axis = _arguments.class_axis(axis, a.ndim)
    n, mean = a.shape[axis], reduction == "mean"
    if weight is not None:
        weight = _arguments.class_weights(weight, n, a.dtype)
    is_ready = type(labels) is np.ndarray and labels.dtype is _INT64
    t = labels if is_ready else _arguments.to_label_array(labels)
    _arguments.check_label_shape(t, a.shape, axis)
    over = 1.0, 0.0
    if t.dtype.kind == "f":
        if ignore_index is not None:
            got = f"got ignore_index={_arguments.shown(ignore_index)}"
            got += " with rows of probabilities"
            raise ValueError(f"{got}; it is allowed with integer labels only")
        if mean:
            over = float(a.size // n) if n else 0.0, 0.0
        indices = _EMPTY[_INT64], axis, weight, _arguments.NO_LABEL
        found = _from_targets(a, t, *indices, over, gradient, smoothing)
    else:
        ignored, ignores = _arguments.to_ignored_label(ignore_index, t.dtype)
        flat = _int_labels(t)
        bad, count = label_kernels.validate_labels(flat, n, ignored, ignores)
        if bad >= 0:
            _refuse_label(t, bad, n, ignore_index)
        if mean and weight is not None:
            over = label_kernels.label_weight_sum(flat, weight, ignored)
        elif mean:
            over = float(count), 0.0
        indices = flat, axis, weight, ignored
        if smoothing == 0.0:
            found = _from_class_indices(a, *indices, over, gradient)
        else:
            found = _from_targets(a, None, *indices, over, gradient, smoothing)
    losses, grad, given, inner = found
    if reduction == "none":
        loss = _rounded(losses, dtype).reshape(a.shape[:axis] + a.shape[axis + 1 :])[()]
    else:
        loss = label_kernels.mean_loss(losses, *over)
        if weight is not None or not refine.LEAST_MEAN < loss < refine.MOST_MEAN:
            args = given, losses, loss, over[0], mean, n, inner
            loss = refine.refine_mean(*args) if a.size else loss
        loss = _rounded(loss, dtype)
    return (loss, _rounded(grad, dtype)) if gradient else loss


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


def _int_labels(t):
    """Return labels as flat int64."""
    if t.dtype is _INT64 and t.flags.carray:
        return t.reshape(-1)
    # Labels of uint64 beyond int64 become negative: out of range as well.
    return np.array(t, np.int64, order="C").reshape(-1)


def _refuse_label(t, bad, n, ignore_index):
    """Raise because of the label at a position of the flat labels."""
    place = tuple(int(i) for i in np.unravel_index(bad, t.shape))
    where = f"[{', '.join(map(str, place))}]" if place else ""
    also = "" if ignore_index is None else f", and ignore_index={ignore_index}"
    allowed = f"0 to {n - 1}" if n else "none (there are no classes)"
    raise ValueError(f"got labels{where} = {t[place]}; allowed are {allowed}{also}")


@functools.lru_cache(1024)
def _planned(outer, n, inner, itemsize, gradient):
    """Return a kernel, its arguments between arrays and tasks, and the tasks."""
    plan = _layout.plan(outer, n, inner, itemsize, False)
    form = "loss_and_grad" if gradient else "loss"
    kernel = getattr(class_indices, f"{form}_{_layout.LAYOUT_NAMES[plan.layout]}")
    return kernel, _layout.shape_arguments(plan), plan.tasks


def _from_class_indices(a, flat, axis, weight, ignored, over, gradient):
    """Return the losses, and the gradient, for one label a slice."""
    losses = np.empty(flat.size)
    grad = np.empty(a.shape, a.dtype) if gradient else None
    if not a.size:
        losses[:] = 0.0
        return losses, grad, None, 1
    n = a.shape[axis]
    inner = math.prod(a.shape[axis + 1 :]) if axis + 1 < a.ndim else 1
    outer = a.size // (n * inner)
    kernel, shape, tasks = _planned(outer, n, inner, a.itemsize, gradient)
    none = _EMPTY[a.dtype]
    x, w, back = a.reshape(-1), none if weight is None else weight, none
    arguments = x, flat, w, ignored, losses
    if gradient:
        back = grad.reshape(-1)
        arguments += (back, *over) if over[0] else (back, 1.0, 0.0)
    _run(kernel, a, (*arguments, *shape), tasks)
    given = x, none, flat, w, ignored, 0.0
    if weight is not None:
        _refine(given, losses, back, over, n, inner)
    return losses, grad, given, inner


def _refine(given, losses, grad, over, n, inner):
    """Correct losses and gradient where they left the range of numbers."""
    by = over if over[0] else (1.0, 0.0)
    arguments = *given, losses, grad, *by, n, inner
    _run(refine.refine_slices, given[0], arguments, losses.size)
    if not over[0]:
        label_kernels.divide_by_zero(grad)


def _from_targets(a, t, flat, axis, weight, ignored, over, gradient, smoothing):
    """Return the losses, and the gradient, for probabilities t or smoothed labels."""
    x = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    targets = none = _EMPTY[x.dtype]
    if t is not None:
        targets = np.moveaxis(t, axis, -1)
        if not (targets.flags.carray and targets.dtype is x.dtype):
            targets = _arguments.converted(targets, x.dtype, "C")
    n, rows = x.shape[-1], math.prod(x.shape[:-1])
    losses = np.zeros(rows + 1)
    grad = np.empty(x.shape, x.dtype) if gradient else none
    w, ones = (none, np.ones(n, x.dtype)) if weight is None else (weight, weight)
    given = x.reshape(-1), targets.reshape(-1), flat, w, ignored, smoothing
    each, back = losses[:-1], grad.reshape(-1)
    if x.size:
        scale = 1.0 / (over[0] + over[1]) if over[0] else 1.0
        arguments = *given[:3], ones, ignored, smoothing, losses, back, scale, n
        _run(soft_targets.soft_target_rows, x, arguments, rows)
        if weight is not None or losses.item(rows):
            _refine(given, each, back, over, n, 1)
    if gradient:
        grad = np.ascontiguousarray(np.moveaxis(grad, -1, axis))
    return each, grad, given, 1


def _run(kernel, a, arguments, tasks):
    run(kernel, arguments, tasks, a.size, _layout.MAX_LOSS_COST * a.nbytes)


def _vjp(kernel, name, result, g, axis):
    """Return a vector-Jacobian product."""
    (a, narrow), (b, other) = to_float_array(result, name), to_float_array(g, "g")
    if a.shape != b.shape:
        got = f"got {name} of shape {a.shape} and g of shape {b.shape}"
        raise ValueError(f"{got}; the shapes must be equal")
    dtype = np.dtype(np.result_type(a.dtype, b.dtype).type)
    axes = normalize_axes(axis, a.ndim)
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    n = math.prod(a.shape[d] for d in axes)
    first, second = (_moved(v, order, dtype) for v in (a, b))
    back = np.empty(first.shape, dtype)
    if a.size:
        flat = first.reshape(-1), second.reshape(-1), back.reshape(-1), n
        _run(kernel, first, flat, a.size // n)
    back = np.ascontiguousarray(back.transpose(np.argsort(order))).reshape(a.shape)
    return _rounded(back, narrow if narrow == other else dtype)[()]


def _moved(a, order, dtype):
    moved = a.transpose(order)
    if moved.flags.carray and moved.dtype is dtype:
        return moved
    return _arguments.converted(moved, dtype, "C")


softmax_vjp = functools.partial(_vjp, vjps.softmax_vjp_rows, "p")
log_softmax_vjp = functools.partial(_vjp, vjps.log_softmax_vjp_rows, "logp")
