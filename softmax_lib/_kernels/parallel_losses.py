"""The kernels of losses and gradients on all threads, as in `parallel`."""

from numba import prange

from softmax_lib._jit import parallel_kernel
from softmax_lib._kernels import loss_tiles, losses, soft_losses, vjps


@parallel_kernel
def loss_in_rows(x, labels, weight, ignored, out, n, rows, parts):
    """`loss_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        losses.loss_rows(x, labels, weight, ignored, out, n, first, last)


@parallel_kernel
def loss_and_grad_in_rows(
    x, labels, weight, ignored, out, grad, divisor, lost, n, rows, parts
):
    """`loss_and_grad_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        losses.loss_and_grad_rows(
            x, labels, weight, ignored, out, grad, divisor, lost, n, first, last
        )


@parallel_kernel
def loss_in_tiles(x, labels, weight, ignored, out, n, inner, gap, wide, tiles, parts):
    """`loss_tiles` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        loss_tiles.loss_tiles(
            x, labels, weight, ignored, out, n, inner, gap, wide, first, last
        )


@parallel_kernel
def loss_and_grad_in_tiles(
    x,
    labels,
    weight,
    ignored,
    out,
    grad,
    divisor,
    lost,
    n,
    inner,
    gap,
    wide,
    tiles,
    parts,
):
    """`loss_and_grad_tiles` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        loss_tiles.loss_and_grad_tiles(
            x,
            labels,
            weight,
            ignored,
            out,
            grad,
            divisor,
            lost,
            n,
            inner,
            gap,
            wide,
            first,
            last,
        )


@parallel_kernel
def soft_in_rows(
    x,
    targets,
    labels,
    weight,
    ignored,
    keep,
    spread,
    out,
    grad,
    divisor,
    lost,
    n,
    rows,
    parts,
):
    """`soft_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        soft_losses.soft_rows(
            x,
            targets,
            labels,
            weight,
            ignored,
            keep,
            spread,
            out,
            grad,
            divisor,
            lost,
            n,
            first,
            last,
        )


@parallel_kernel
def softmax_vjp_in_rows(p, g, out, n, rows, parts):
    """`softmax_vjp_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        vjps.softmax_vjp_rows(p, g, out, n, first, last)


@parallel_kernel
def log_softmax_vjp_in_rows(logp, g, out, n, rows, parts):
    """`log_softmax_vjp_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        vjps.log_softmax_vjp_rows(logp, g, out, n, first, last)
