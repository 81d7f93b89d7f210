"""The library and its peers behind one interface.

`installed(name, dtype)` gives {peer: function of an array}, fresh results along the
last axis; `fillers` gives {peer: function of (x, out)} for those that can fill an
array. A peer that is not installed is left out.
"""

import importlib.util

import numpy as np

import softmax_lib

PEERS = ["softmax_lib", "torch", "onnxruntime", "jax", "scipy"]


def has(peer):
    """Whether a peer can be imported."""
    return importlib.util.find_spec(peer) is not None


def installed(name, dtype, axis=-1, threads=None):
    """Return {peer: function of x} of everyone who knows the function."""
    makers = {
        "softmax_lib": _ours,
        "torch": _torch,
        "onnxruntime": _onnxruntime,
        "jax": _jax,
        "scipy": _scipy,
    }
    found = {}
    for peer, maker in makers.items():
        if has(peer):
            function = maker(name, np.dtype(dtype), axis, threads)
            if function is not None:
                found[peer] = function
    return found


def _ours(name, dtype, axis, threads):
    function = getattr(softmax_lib, name)
    if "sigmoid" in name:
        return function
    return lambda x: function(x, axis=axis)


def _torch(name, dtype, axis, threads):
    import torch

    if name == "sigmoid":
        return lambda x: torch.sigmoid(torch.from_numpy(x)).numpy()
    if name == "log_sigmoid":
        return lambda x: torch.nn.functional.logsigmoid(torch.from_numpy(x)).numpy()
    function = getattr(torch, name)
    return lambda x: function(torch.from_numpy(x), axis).numpy()


def _onnxruntime(name, dtype, axis, threads):
    operators = {
        "softmax": "Softmax",
        "log_softmax": "LogSoftmax",
        "logsumexp": "ReduceLogSumExp",
        "sigmoid": "Sigmoid",
    }
    if name not in operators:
        return None
    session = onnx_session(operators[name], dtype, axis, threads)
    return lambda x: session.run(None, {"x": x})[0]


def onnx_session(operator, dtype, axis, threads):
    """Return a session that runs one operator."""
    import onnxruntime
    from onnx import TensorProto, helper

    kind = TensorProto.FLOAT if dtype == np.float32 else TensorProto.DOUBLE
    inputs = [helper.make_tensor_value_info("x", kind, None)]
    initial = []
    options = {}
    if operator == "ReduceLogSumExp":
        initial = [helper.make_tensor("axes", TensorProto.INT64, [1], [axis])]
        options["keepdims"] = 0
    elif operator != "Sigmoid":
        options["axis"] = axis
    names = ["x"] + [tensor.name for tensor in initial]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], **options)],
        "one",
        inputs,
        [helper.make_tensor_value_info("y", kind, None)],
        initial,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    settings = onnxruntime.SessionOptions()
    if threads:
        settings.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )


def _jax(name, dtype, axis, threads):
    import jax

    jax.config.update("jax_enable_x64", True)
    function = jax.jit(
        {
            "softmax": lambda x: jax.nn.softmax(x, axis=axis),
            "log_softmax": lambda x: jax.nn.log_softmax(x, axis=axis),
            "logsumexp": lambda x: jax.nn.logsumexp(x, axis=axis),
            "sigmoid": jax.nn.sigmoid,
            "log_sigmoid": jax.nn.log_sigmoid,
        }[name]
    )
    return lambda x: np.asarray(function(x))


def _scipy(name, dtype, axis, threads):
    import scipy.special

    if name == "sigmoid":
        return scipy.special.expit
    if name == "log_sigmoid":
        return scipy.special.log_expit
    function = getattr(scipy.special, name)
    return lambda x: function(x, axis=axis)
