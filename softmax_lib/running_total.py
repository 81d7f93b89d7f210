"""Softmax of scores that are never all in one place: a total that takes in blocks.

For more scores than fit in memory, or scores on several machines, each part has a
`LogSumExp`. It has 72 bytes for a slice, which depend on the set of scores alone: any
split, in any order, gives the same bits.
"""

import math
import numbers

import numpy as np

from softmax_lib import _arguments, _dispatch, _layout
from softmax_lib._kernels import partial_sums
from softmax_lib._kernels import running_total as kernels
from softmax_lib._njit import usable_in_njit
from softmax_lib._threads import max_threads, run

__all__ = ["LogSumExp"]

# What a pickle holds. It counts up when the fields, or the grids of sums, change.
VERSION = 1

_DTYPES = np.dtype(np.float32), np.dtype(np.float64)


class LogSumExp:
    r"""The log-sum-exp of scores that come in blocks, and their shares of the whole.

    .. math:: \log\sum_{\text{all blocks}} e^{x_j}

    Parameters
    ----------
    shape : int or tuple of int, optional
        The shape of the totals: that of the scores without the axis they are summed
        over. Unless given it is (): one total.
    dtype : numpy.dtype, optional
        The dtype of the scores and of the results: float64 unless given, or float32.

    Attributes
    ----------
    shape : tuple of int
        The shape of the totals.
    dtype : numpy.dtype
        Their dtype.
    fields : tuple of numpy.ndarray
        What is kept of each slice, flat, for the functions of this module inside
        ``@njit``.

    Raises
    ------
    TypeError
        If `dtype` is another one.
    ValueError
        If `shape` has a negative length.

    See Also
    --------
    logsumexp : The same of scores that are all there.

    Notes
    -----
    A total keeps the maximum, how many scores are equal to it, and the sum of the other
    terms, exactly: as multiples of fixed powers of two, which are counted. So totals
    can be merged in any order and any grouping, and no bit of a result shows how the
    scores were split. What is cut off a term is below :math:`2^{-94}` of the largest,
    and the same wherever it comes.

    Where the maximum is at most 500 in size (1600 in float64), the terms are the very
    numbers that `logsumexp` and `softmax` add, and results are theirs, bit for bit.
    Beyond, `softmax` subtracts the maximum first, which a total cannot do that does not
    know it yet; its terms are then more accurate, and results may differ in the last
    place. Either way a log-sum-exp is within 1.8 units in the last place (or of the
    maximum, where that and the logarithm cancel), a share within 2.9, a logarithm of a
    share within 2.

    A block that is empty, masked or -inf throughout changes nothing. NaN and +inf spoil
    their slice as they do in `logsumexp`. One total belongs to one thread at a time.
    Inside ``@njit`` a total has no methods; `update`, `merge` and `logsumexp` of the
    module ``softmax_lib.running_total`` take its `fields` there, on one thread.

    References
    ----------
    J. Demmel, H. D. Nguyen, "Parallel reproducible summation", IEEE Trans. Comput. 64
    (2015), for sums on fixed grids.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([1000.0, 999.0, 0.0, 1000.0])
    >>> whole = LogSumExp().update(scores[:3]).update(scores[3:])
    >>> print(whole.logsumexp().round(4))
    1000.862
    >>> whole.softmax(scores[:3]).round(4).tolist()  # of the first block
    [0.4223, 0.1554, 0.0]
    >>> one, other = LogSumExp(2), LogSumExp(2)  # two slices, on two machines
    >>> one.update([[0.0, 1.0], [5.0, 5.0]])
    LogSumExp(shape=(2,), dtype=float64)
    >>> one += other.update([[1.0], [5.0]])
    >>> one.logsumexp().round(4).tolist()
    [1.862, 6.0986]
    """

    __slots__ = "fields", "shape"

    def __init__(self, shape=(), dtype=np.float64):
        dtype = np.dtype(dtype)
        if dtype not in _DTYPES:
            raise TypeError(f"got dtype={dtype}; allowed are float32 and float64")
        top = np.full(shape, -math.inf, np.dtype(dtype.type))
        size = top.size
        ties, place = np.zeros(size, np.int64), np.full(size, partial_sums.NO_PLACE)
        sums = np.zeros((size, partial_sums.SUM_FIELDS))
        self.shape = top.shape
        self.fields = partial_sums.Fields(top.reshape(-1), ties, place, sums)

    @property
    def dtype(self):
        """The dtype of the scores and of the results."""
        # The one object that stands for it, unlike that of an array from a pickle.
        return np.dtype(self.fields.top.dtype.type)

    def __repr__(self):
        return f"LogSumExp(shape={self.shape}, dtype={self.dtype})"

    def __reduce__(self):
        return _restored, (VERSION, self.shape, *self.fields)

    # --- scores and totals come in -----------------------------------------------

    def update(self, x, /, axis=-1, *, where=None):
        """Take in a block of scores, and return the total itself.

        Parameters
        ----------
        x : array_like
            Scores of the dtype of the total, or of float16 or bfloat16 for float32, or
            integers for float64. Without `axis` their shape is that of the total.
        axis : int, tuple of int or None, default -1
            The axis or axes to sum over; the block may have any length there.
        where : array_like of bool, optional
            Mask, broadcast against `x`. Entries where it is False are left out.

        Returns
        -------
        LogSumExp
            The total itself.

        Raises
        ------
        TypeError
            If `x` has another dtype, or as for `softmax`.
        ValueError
            If `x` has another shape, or as for `softmax`.
        """
        a, axes, _ = self._block(x, axis)
        excluded = _arguments.excluded_mask(where, a.shape)
        if excluded is not None:
            a = _dispatch.masked_copy(a, -math.inf, excluded)
        rows, n, _ = _as_rows(a, axes)
        if n and self.fields.top.size:
            self._update_rows(rows, n)
        return self

    def _update_rows(self, rows, n):
        size = self.fields.top.size
        threads = 1 if rows.size < _layout.MIN_PARALLEL_SIZE else max_threads()
        if threads > 1 and _layout.is_split(size, n, threads):
            for i in range(size):
                self._update_split(i, rows[i * n :][:n], threads)
            return
        arguments = rows, *self.fields, n
        run(kernels.update_rows, arguments, size, rows.size, rows.nbytes)

    def _update_split(self, i, row, threads):
        """Take a long row into a slice, as totals of its chunks."""
        chunks = _layout.count_chunks(row.size, threads)
        n = row.size // chunks
        parts, rest = LogSumExp(chunks, self.dtype), row[chunks * n :]
        even = row[: chunks * n]
        arguments = even, *parts.fields, n
        run(kernels.update_rows, arguments, chunks, even.size, even.nbytes)
        mine = [field[i : i + 1] for field in self.fields]
        kernels.update_rows(rest, *mine, rest.size, 0, 1)
        for k in range(chunks):
            other = [field[k : k + 1] for field in parts.fields]
            kernels.merge_slices(*mine, *other, 0, 1)

    def merge(self, other, /):
        """Take in another total of the same shape and dtype, and return this one.

        Parameters
        ----------
        other : LogSumExp
            What was taken in elsewhere. It stays as it is.

        Returns
        -------
        LogSumExp
            The total itself.

        Raises
        ------
        TypeError
            If `other` is not a total, or one of another dtype.
        ValueError
            If it has another shape.
        """
        if not isinstance(other, LogSumExp) or other.dtype != self.dtype:
            got = other if isinstance(other, LogSumExp) else _arguments.shown(other)
            raise TypeError(f"got {got}; allowed is a LogSumExp of {self.dtype}")
        if other.shape != self.shape:
            raise ValueError(f"got a total of shape {other.shape}, for {self.shape}")
        fields = *self.fields, *other.fields
        run(kernels.merge_slices, fields, *[self.fields.top.size] * 2, 0)
        return self

    __iadd__ = merge

    # --- results -----------------------------------------------------------------

    def logsumexp(self):
        """Return the log-sum-exp of all scores so far.

        Returns
        -------
        numpy.ndarray or numpy.floating
            One number a slice, -inf before the first score.
        """
        values = np.empty(self.shape, self.dtype)
        size = values.size
        arguments = *self.fields, values.reshape(-1)
        run(kernels.logsumexp_slices, arguments, size, size, 0)
        return values[()]

    def softmax(self, block, /, axis=-1, *, where=None, out=None):
        """Return the shares that the scores of a block have in the whole.

        Parameters
        ----------
        block : array_like
            Scores that have been taken in, in a block of any length along `axis`.
        axis, where
            As for `update`. Masked entries get 0.
        out : numpy.ndarray, optional
            Array for the result, of its shape and dtype; it may be `block`.

        Returns
        -------
        numpy.ndarray or numpy.floating
            Shares in the shape and dtype of `block`; over all blocks they sum to 1.

        Raises
        ------
        TypeError
            As for `update` and `softmax`.
        ValueError
            The same, and if a score is above all that have been taken in.
        """
        return self._map(kernels.softmax_rows, block, axis, where, 0.0, out)

    def log_softmax(self, block, /, axis=-1, *, where=None, out=None):
        """Return the logarithms of these shares.

        Parameters
        ----------
        block, axis, where, out
            As for `LogSumExp.softmax`.

        Returns
        -------
        numpy.ndarray or numpy.floating
            Logarithms, as `log_softmax` has them of the whole; -inf where masked.

        Raises
        ------
        TypeError
            As for `LogSumExp.softmax`.
        ValueError
            As for `LogSumExp.softmax`.
        """
        kernel = kernels.log_softmax_rows
        return self._map(kernel, block, axis, where, -math.inf, out)

    def cross_entropy(self, scores, /, *, weights=None):
        """Return the losses of labels, given the scores of their classes.

        Parameters
        ----------
        scores : array_like
            The score of each slice's label, from whichever block it is in.
        weights : array_like of float, optional
            A factor for the loss of each slice. With 0 the loss is 0, whatever the
            score: as for a label to be ignored.

        Returns
        -------
        numpy.ndarray or numpy.floating
            Losses, as `cross_entropy` has them with ``reduction="none"``.

        Raises
        ------
        TypeError
            As for `update`.
        ValueError
            If an argument has another shape than the total, or a score is above all
            that have been taken in.
        """
        a, weights = self._each(scores, "scores"), self._weights(weights)
        if (a > self.fields.top)[weights != 0.0].any():
            _refuse_above()
        losses = np.empty(self.shape)
        size, flat = losses.size, losses.reshape(-1)
        run(kernels.loss_slices, (*self.fields, a, weights, flat), size, size, 0)
        with np.errstate(all="ignore"):
            return losses.astype(self.dtype, copy=False)[()]

    def cross_entropy_grad(
        self, block, labels, /, axis=-1, *, start=0, weights=None, divisor=1.0
    ):
        """Return the gradient of the losses with respect to the scores of a block.

        Parameters
        ----------
        block, axis
            As for `LogSumExp.softmax`, with one axis, the one of classes.
        labels : array_like of int
            The class of each slice, in this block or elsewhere.
        start : int, default 0
            The class that the block begins with, 0 or more.
        weights : array_like of float, optional
            As for `LogSumExp.cross_entropy`; where 0, the gradient is 0.
        divisor : float, default 1.0
            The gradient is divided by it: by the number of slices for a mean.

        Returns
        -------
        numpy.ndarray
            Gradient in the shape and dtype of `block`, as `cross_entropy_and_grad` has
            it.

        Raises
        ------
        TypeError
            If `labels` or `start` are not integers or `divisor` is not a number, and as
            for `LogSumExp.softmax`.
        ValueError
            If `labels` has another shape than the total or `start` is negative, and as
            for `LogSumExp.softmax`.
        """
        labels = _arguments.to_numpy(labels, "labels")
        if labels.dtype.kind not in "iu":
            raise TypeError(f"got labels of dtype {labels.dtype}; allowed are integers")
        if labels.shape != self.shape:
            raise ValueError(f"got labels of shape {labels.shape}, for {self.shape}")
        start = _arguments.to_start(start)
        if isinstance(divisor, bool) or not isinstance(divisor, numbers.Real):
            got = _arguments.shown(divisor)
            raise TypeError(f"got divisor={got}; allowed is a number")
        places = labels.astype(np.int64).reshape(-1) - start
        given = places, self._weights(weights), float(divisor)
        return self._map(kernels.gradient_rows, block, axis, None, 0.0, None, given)

    # --- arguments ---------------------------------------------------------------

    def _block(self, x, axis):
        """Return a block, its axes to sum over, and the dtype of results like it."""
        a, dtype = _arguments.to_float_array(x, "a block", True)
        if np.dtype(a.dtype.type) is not self.dtype:
            got = f"got a block of dtype {dtype}"
            raise TypeError(
                f"{got}; this total is of {self.dtype}: convert one of them"
            )
        axes = _arguments.normalize_axes(axis, a.ndim)
        shape = _arguments.reduced_shape(a.shape, axes, False)
        if shape != self.shape:
            got = (
                f"got a block of shape {a.shape}, which is {shape} without axis {axis}"
            )
            raise ValueError(f"{got}; this total has shape {self.shape}")
        return a, axes, dtype

    def _each(self, given, name, dtype=None):
        """Return one number a slice, flat."""
        a, _ = _arguments.to_float_array(given, name)
        if dtype is None and np.dtype(a.dtype.type) is not self.dtype:
            raise TypeError(f"got {name} of dtype {a.dtype}; allowed is {self.dtype}")
        if a.shape != self.shape:
            raise ValueError(f"got {name} of shape {a.shape}, for {self.shape}")
        return np.array(a, dtype or self.dtype, order="C").reshape(-1)

    def _weights(self, weights):
        if weights is None:
            return np.ones(self.fields.top.size)
        return self._each(weights, "weights", np.dtype(np.float64))

    def _map(self, kernel, block, axis, where, masked_value, out, given=()):
        """Return an array like a block from a kernel that goes through its rows."""
        a, axes, dtype = self._block(block, axis)
        if out is not None:
            _arguments.check_out(out, a.shape, dtype)
        excluded = _arguments.excluded_mask(where, a.shape)
        if excluded is not None:
            a = _dispatch.masked_copy(a, -math.inf, excluded)
        rows, n, order = _as_rows(a, axes)
        result, above = np.empty_like(rows), np.zeros(1, np.bool_)
        if rows.size:
            arguments = rows, *self.fields, *given, result, above, n
            run(kernel, arguments, self.fields.top.size, rows.size, rows.nbytes)
        if above[0]:
            _refuse_above()
        shape = [a.shape[d] for d in order]
        result = result.reshape(shape).transpose(np.argsort(order))
        if excluded is not None:
            np.copyto(result, masked_value, where=excluded)
        return _arguments.finalize(result, dtype, out)


def _as_rows(a, axes):
    """Return a block as flat rows, their length, and the order of its axes then."""
    order = list(range(a.ndim))
    last = tuple(order[a.ndim - len(axes) :])
    if not (axes == last and _dispatch.is_kernel_ready(a)):
        a, order = _dispatch.axes_last(a, axes)
    return a.reshape(-1), math.prod(a.shape[d] for d in last), order


def _refuse_above():
    above = "got a score above all that the total has taken in"
    raise ValueError(f"{above}; take in all blocks before asking for results")


def _restored(version, shape, *fields):
    if version != VERSION:
        got = f"got a pickled total of version {version}"
        raise ValueError(f"{got}; this softmax_lib reads version {VERSION}")
    total = LogSumExp(shape, fields[0].dtype)
    for mine, field in zip(total.fields, fields, strict=True):
        mine[...] = field
    return total


# --- inside njit -----------------------------------------------------------------


def _check_fields(fields):
    if not isinstance(fields, partial_sums.Fields):
        got = _arguments.shown(fields)
        raise TypeError(f"got {got}; allowed are the fields of a LogSumExp")


@usable_in_njit("running_total.type_update")
def update(fields, x):
    """Take rows of scores into the fields of a total, one row a slice.

    Parameters
    ----------
    fields : tuple of numpy.ndarray
        `LogSumExp.fields` of a total.
    x : numpy.ndarray
        Scores of shape (slices, n) and of the dtype of the total.

    Raises
    ------
    TypeError
        If an argument is of another type.
    ValueError
        If `x` has another number of rows.
    """
    _check_fields(fields)
    dtype = fields.top.dtype
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.dtype != dtype:
        got, allowed = _arguments.shown(x), f"an array of {dtype} and two dimensions"
        raise TypeError(f"got x={got}; allowed is {allowed}")
    if len(x) != fields.top.size:
        raise ValueError(f"got {len(x)} rows; the total has {fields.top.size} slices")
    rows = np.array(x, np.dtype(dtype.type), order="C", copy=None).reshape(-1)
    kernels.update_rows(rows, *fields, x.shape[1], 0, len(x))


@usable_in_njit("running_total.type_merge")
def merge(fields, others):
    """Take the fields of another total of as many slices into those of the first.

    Parameters
    ----------
    fields, others : tuple of numpy.ndarray
        `LogSumExp.fields` of two totals.

    Raises
    ------
    TypeError
        If they are not fields, or of different dtypes.
    ValueError
        If they have different numbers of slices.
    """
    _check_fields(fields)
    _check_fields(others)
    dtypes = fields.top.dtype, others.top.dtype
    if dtypes[0] != dtypes[1]:
        raise TypeError(f"got fields of {dtypes[1]}, for {dtypes[0]}")
    if fields.top.size != others.top.size:
        raise ValueError(f"got {others.top.size} slices, for {fields.top.size}")
    kernels.merge_slices(*fields, *others, 0, len(fields.top))


@usable_in_njit("running_total.type_logsumexp")
def logsumexp(fields):
    """Return the log-sum-exp of each slice, flat.

    Parameters
    ----------
    fields : tuple of numpy.ndarray
        `LogSumExp.fields` of a total.

    Returns
    -------
    numpy.ndarray
        As `LogSumExp.logsumexp`.

    Raises
    ------
    TypeError
        If they are not fields.
    """
    _check_fields(fields)
    values = np.empty_like(fields.top)
    kernels.logsumexp_slices(*fields, values, 0, len(values))
    return values
