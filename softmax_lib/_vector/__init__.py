"""Vectors for kernels, a namespace: ``from softmax_lib import _vector as v``."""

from softmax_lib._vector.arithmetic import *
from softmax_lib._vector.memory import *
from softmax_lib._vector.reduce import *
from softmax_lib._vector.transpose import *
from softmax_lib._vector.type import *
