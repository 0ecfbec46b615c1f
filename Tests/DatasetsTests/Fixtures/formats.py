"""Writes npy/, cifar10/ and libsvm/ beside itself: python3 formats.py, with NumPy and scikit-learn installed.

Every value is a formula of its place, so that the tests can say what must be read.
"""
import os

import numpy as np
from sklearn.datasets import dump_svmlight_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))

# 5 rows of 2×3: element i of the whole array is 7·i − 20, for u1 modulo 251.
numbers = 7 * np.arange(30).reshape(5, 2, 3) - 20
np.save("npy/features-u1.npy", (numbers % 251).astype("u1"))
for name in ["f4", "f8", "i4", "i8"]:
    scale = 0.1 if name[0] == "f" else 1
    np.save(f"npy/features-{name}.npy", (numbers * scale).astype(name))
labels = np.array([3, 10, 3, -1, 10])
for name in ["i4", "i8", "f4"]:
    np.save(f"npy/labels-{name}.npy", labels.astype(name))
np.save("npy/labels-u1.npy", np.array([2, 0, 2, 1, 0], "u1"))
np.save("npy/labels-column.npy", labels.reshape(5, 1))
np.save("npy/fortran.npy", np.asfortranarray(numbers[:, 0, :].astype("f4")))
np.save("npy/big-endian.npy", numbers.astype(">f4"))
np.save("npy/structured.npy", np.zeros(5, [("a", "f4"), ("b", "i4")]))
for version in [(2, 0), (3, 0)]:
    with open(f"npy/version-{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, numbers.astype("f4"), version=version)

# 4 rows; pixel i of row r is (50·r + i) modulo 251.
pixels = (50 * np.arange(4)[:, None] + np.arange(3072)) % 251
np.hstack([[[3], [0], [9], [3]], pixels]).astype("u1").tofile("cifar10/batch.bin")

# 4 rows of 3 features, zeros left out.
features = np.array([[0.5, 0, -2], [0, 0, 0], [1e-3, 4, 0], [0, 0.1, 7]])
classes = np.array([1, -1, -1, 1])
dump_svmlight_file(features, classes, "libsvm/from-one.libsvm", zero_based=False, comment="numbered from 1")
dump_svmlight_file(features, classes, "libsvm/from-zero.libsvm", zero_based=True)
dump_svmlight_file(features, np.array([0.25, -1.5, 3, 1e4]), "libsvm/regression.libsvm", zero_based=False)
