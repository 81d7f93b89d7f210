"""Public functions: cross-entropy and the gradients of it and of softmax."""

from softmax_lib import _losses_dispatch
from softmax_lib._njit import usable_in_njit

__all__ = ["cross_entropy", "cross_entropy_and_grad", "log_softmax_vjp", "softmax_vjp"]


@usable_in_njit("losses.type_cross_entropy")
def cross_entropy(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Cross-entropy of logits against labels.

    For logits :math:`x` and a class index :math:`y` or class probabilities :math:`t_k`,

    .. math:: \ell = w_y \Bigl(\log\sum_j e^{x_j} - x_y\Bigr)
              \qquad\text{or}\qquad
              \ell = \sum_k w_k\,t_k \Bigl(\log\sum_j e^{x_j} - x_k\Bigr)

    Parameters
    ----------
    logits : array_like
        Scores with at least one axis, of a dtype as for `softmax`.
    labels : array_like
        Class indices, integers of any width from 0 to K - 1 for K classes, in the shape
        of `logits` without the class axis; or class probabilities, floats in the shape
        of `logits`, converted to its dtype, which need not sum to 1.
    axis : int, default -1
        The class axis. In torch it is 1, so pass 1 for images.
    reduction : {"mean", "sum", "none"}, default "mean"
        Return the mean of the losses, their sum or each loss. The mean divides by the
        total weight of indices not ignored or, for probabilities, the number of slices.
    ignore_index : int, optional
        Class index to ignore: its loss is 0 whatever the logits. Nothing is ignored by
        default, whereas torch ignores -100.
    weight : array_like, optional
        K finite class weights, converted to the dtype of `logits`. Without label
        smoothing, a class index of weight 0 is ignored too. With it such a slice keeps
        its smoothed part, in which the weight of each class counts, as in torch.
        Negative weights count as they do there: the mean divides by the signed sum.
    label_smoothing : float, default 0.0
        Part of each label, from 0 to 1, to spread evenly over all classes:
        :math:`t_k' = (1 - \varepsilon)\,t_k + \varepsilon / K`.

    Returns
    -------
    numpy.floating or numpy.ndarray
        Loss in the dtype of `logits`, float64 for integers and bool; for "none" in the
        shape of `logits` without the class axis. The mean of no slices, or of ignored
        ones, is 0; if the weights of the indices sum to 0, losses with another sum make
        it infinite. A slice that is not ignored and contains NaN or +inf, or only -inf,
        has loss NaN. A score of -inf only matters if neither probability nor weight is
        0: the loss is then infinite.

    Raises
    ------
    TypeError
        If an array is masked or has another dtype, labels are bool, or `axis`,
        `ignore_index` or `label_smoothing` has the wrong type.
    ValueError
        If a class index is out of range (the message gives its position), shapes do not
        match, a weight is not finite in that dtype, `reduction` or `label_smoothing` is
        not an allowed value, or `ignore_index` is combined with class probabilities.
    numpy.exceptions.AxisError
        If `logits` has no such axis.

    See Also
    --------
    cross_entropy_and_grad : The loss and its gradient in one pass.
    log_softmax : The logarithms that the loss consists of.
    torch.nn.functional.cross_entropy : Classes along axis 1, ignores -100.

    Notes
    -----
    If the label is the winner, its loss is ``log1p`` of the other terms relative to its
    own, which stays above 0 for a confident prediction. For class indices without
    smoothing each loss, with or without a weight, is within 1.8 units in the last place
    (ULP) of the exact value; for probabilities and smoothing within 5. Sums and means
    are compensated. Where terms of both signs cancel, these units are those of the sum
    of their sizes. Nothing overflows or is rounded to a subnormal number before it is
    scaled, however large or small weights are. Inside ``@njit`` it gives the same bits
    on one thread.
    There `logits` is an array of float32, float64, integers or bool, `labels` of
    float32, float64, integers, or an int for one slice, `weight` an array, `reduction`
    literal.

    References
    ----------
    Blanchard, Higham and Higham (2021), as for `softmax`.

    C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR
    (2016), section 7, for label smoothing.

    Examples
    --------
    >>> logits = [[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    >>> cross_entropy(logits, [0, 2], reduction="none").round(4).tolist()
    [0.4076, 1.0986]
    >>> print(cross_entropy(logits, [0, -1], ignore_index=-1).round(4))
    0.4076
    >>> print(cross_entropy([2.0, 1.0, 0.0], [0.5, 0.5, 0.0]).round(4))
    0.9076
    """
    return _losses_dispatch.cross_entropy(
        logits, labels, axis, reduction, ignore_index, weight, label_smoothing, False
    )


@usable_in_njit("losses.type_cross_entropy")
def cross_entropy_and_grad(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Cross-entropy and its gradient with respect to the logits.

    .. math:: \frac{\partial\ell}{\partial x_k} = w_y \bigl(p_k - [k = y]\bigr)
              \qquad\text{or}\qquad
              C\,p_k - w_k t_k, \quad C = \sum_j w_j t_j,

    with the shares :math:`p = \operatorname{softmax}(x)`; no logarithms are stored.

    Parameters
    ----------
    logits, labels, axis, ignore_index, weight, label_smoothing
        As for `cross_entropy`.
    reduction : {"mean", "sum", "none"}, default "mean"
        As for `cross_entropy`. The gradient is that of the mean or the sum; for "none"
        each slice has the gradient of its own loss.

    Returns
    -------
    loss : numpy.floating or numpy.ndarray
        As from `cross_entropy`.
    grad : numpy.ndarray
        Gradient in the shape of `logits` and the dtype of the loss: 0 where the label
        is ignored, NaN where the loss is. If the weights of the indices sum to 0, the
        gradient of the mean is that of the sum over 0; 0 stays 0.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `cross_entropy`.

    See Also
    --------
    cross_entropy : The loss alone.
    softmax_vjp : The gradient of any other function of the shares.
    torch.nn.functional.cross_entropy : Its gradient comes from ``backward``.

    Notes
    -----
    For class indices without smoothing, the gradient at the label is minus the sum of
    the other shares, not :math:`p_y - 1`, and each entry is within 3 units in the last
    place of the exact value, with or without weights. In general it is
    :math:`(C - c_k)\,p_k - c_k\,(1 - p_k)` with :math:`c_k = w_k t_k`, where the
    winner's :math:`1 - p_k` is the sum of the other shares; errors are at most 5 units
    in the last place of :math:`p_k \sum_{j \ne k} |c_j| + |c_k|\,(1 - p_k)`, over the
    divisor of a mean.
    Inside ``@njit`` as for `cross_entropy`.

    References
    ----------
    Blanchard, Higham and Higham (2021), as for `softmax`.

    Examples
    --------
    >>> loss, grad = cross_entropy_and_grad([2.0, 1.0, 0.0], 0)
    >>> print(loss.round(4), grad.round(4).tolist())
    0.4076 [-0.3348, 0.2447, 0.09]
    >>> print(*(f"{v:.4g}" for v in cross_entropy_and_grad([40.0, 0.0], 0)[1]))
    -4.248e-18 4.248e-18
    """
    return _losses_dispatch.cross_entropy(
        logits, labels, axis, reduction, ignore_index, weight, label_smoothing, True
    )


@usable_in_njit("vjps.type_vjp")
def softmax_vjp(p, g, /, axis=-1):
    r"""Backpropagate a gradient through softmax (vector-Jacobian product).

    .. math:: \frac{\partial L}{\partial x_k} = p_k \Bigl(g_k - \sum_j p_j g_j\Bigr),
              \qquad g_k = \frac{\partial L}{\partial p_k}

    Parameters
    ----------
    p : array_like
        Shares, the result of `softmax`: float32, float64, float16 or bfloat16.
    g : array_like
        Gradient with respect to the shares, in the same shape.
    axis
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Gradient with respect to the scores, in the shape of `p` and the dtype of `p`
        and `g`; if they differ, float64 if one of them is, otherwise float32. It is 0
        where the share is 0, whatever `g` is there.

    Raises
    ------
    TypeError
        If an array is masked or has another dtype, or `axis` has the wrong type.
    ValueError
        If shapes differ or `axis` repeats an axis; AxisError if there is no such axis.

    See Also
    --------
    softmax : The function differentiated here.
    log_softmax_vjp : The same for its logarithm.
    torch.autograd.functional.vjp : The same for any function.

    Notes
    -----
    The sum is compensated. In float32 the difference is rounded once; in float64 its
    error is relative to the larger operand. Inside ``@njit`` as for `softmax`.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM (2008), chapter
    3, for vector-Jacobian products.

    Examples
    --------
    >>> softmax_vjp([0.5, 0.25, 0.25], [1.0, 0.0, 0.0]).tolist()
    [0.25, -0.125, -0.125]
    >>> softmax_vjp([0.5, 0.25, 0.25], [3.0, 3.0, 3.0]).tolist()  # shares sum to 1
    [0.0, 0.0, 0.0]
    """
    return _losses_dispatch.softmax_vjp(p, g, axis)


@usable_in_njit("vjps.type_vjp")
def log_softmax_vjp(logp, g, /, axis=-1):
    r"""Backpropagate a gradient through log-softmax (vector-Jacobian product).

    .. math:: \frac{\partial L}{\partial x_k} = g_k - e^{\ell_k} \sum_j g_j,
              \qquad g_k = \frac{\partial L}{\partial\ell_k}

    Parameters
    ----------
    logp : array_like
        Logarithms of shares, the result of `log_softmax`; dtypes as for `softmax_vjp`.
    g : array_like
        Gradient with respect to the logarithms, in the same shape.
    axis
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        As from `softmax_vjp`, except that it is `g` where the share is 0.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `softmax_vjp`.

    See Also
    --------
    log_softmax : The function differentiated here.
    softmax_vjp : The same for the shares themselves.
    cross_entropy_and_grad : Accurate for confident correct predictions too.
    torch.autograd.functional.vjp : The same for any function.

    Notes
    -----
    The sum is compensated. Where `g` is -1 at the label and 0 elsewhere, the gradient
    there is exp(logp) - 1, which cancels for a share of almost 1;
    `cross_entropy_and_grad` avoids that. Inside ``@njit`` as for `softmax`.

    References
    ----------
    Griewank and Walther (2008), as for `softmax_vjp`.

    Examples
    --------
    >>> log_softmax_vjp([0.0, float("-inf")], [-1.0, 0.25]).tolist()
    [-0.25, 0.25]
    """
    return _losses_dispatch.log_softmax_vjp(logp, g, axis)
