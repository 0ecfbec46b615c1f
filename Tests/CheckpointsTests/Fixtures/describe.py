"""Prints what the reference implementation finds in a file, as JSON: python3 describe.py FILE."""
import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = [
        {
            "name": name,
            "type": file.get_slice(name).get_dtype(),
            "shape": list(file.get_tensor(name).shape),
            "hex": file.get_tensor(name).tobytes().hex(),
        }
        for name in file.offset_keys()
    ]
    print(json.dumps({"metadata": file.metadata(), "tensors": tensors}))
