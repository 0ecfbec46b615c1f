"""Writes reference.safetensors with the reference implementation: python3 reference.py OUTPUT (safetensors 0.8.0, numpy 2.4.6)."""
import sys

import numpy
from safetensors.numpy import save_file

arrays = {
    "dense.weight": numpy.array([[1.5, -2.25, 3.0], [0.1, -0.0, 1e-40]], dtype="<f4"),
    "dense.bias": numpy.array([1, 2, 3], dtype="<f4"),
    "scalar": numpy.array(0.3, dtype="<f4"),
    "empty": numpy.zeros((0, 4), dtype="<f4"),
    "half": numpy.array([1.0, -0.5, 65504.0, 6e-8], dtype="<f2"),
    "double": numpy.array([0.1, 1e300], dtype="<f8"),
    "pixels": numpy.array([[0, 1], [254, 255]], dtype="u1"),
    "counts": numpy.array([-1, 2147483647], dtype="<i4"),
    "labels": numpy.array([-1, 2**40], dtype="<i8"),
    "flags": numpy.array([True, False, True]),
}
metadata = {"format": "np", "classes": '["größe", "\\"two\\"\\n"]'}
save_file(arrays, sys.argv[1], metadata)
