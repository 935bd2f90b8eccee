"""The reference of bench/linalg.ts: numpy and scipy in float64 on the same rows, timed here, one answer per line asked.

    python3 bench/linalg.py ROWS WIDTH_X WIDTH_Y FILE_X FILE_Y

Says first, as JSON, what it computes with. Then each line of stdin names a task and is answered by its seconds.
"""

import json
import re
import sys
import time

import numpy as np

try:
    import scipy
    from scipy.linalg import cho_factor, cho_solve
except ImportError:
    scipy = None


def library(package):
    """The BLAS that a package brought into this process, by the files that are mapped (Linux only)."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps if re.search(r"blas|mkl|lapack", line)}
    except OSError:
        return "unknown BLAS"
    own = [name for name in files if f"/{package}.libs/" in name] or sorted(files)
    return own[0].rsplit("/", 1)[-1] if own else "unknown BLAS"


rows, dx, dy = (int(word) for word in sys.argv[1:4])
X = np.fromfile(sys.argv[4], dtype=np.float32).reshape(rows, dx).astype(np.float64)
Y = np.fromfile(sys.argv[5], dtype=np.float32).reshape(rows, dy).astype(np.float64)
S = X.T @ X
R = X.T @ Y


def moments():
    return X.T @ X, Y.T @ X, Y.T @ Y


def solve():
    return cho_solve(cho_factor(S, lower=True), R)


tasks = {"moments": moments, "solve": solve}
about = {"numpy": f"numpy {np.__version__} with {library('numpy')}"}
if scipy:
    about["scipy"] = f"scipy {scipy.__version__} with {library('scipy')}"
print(json.dumps(about), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    tasks[line.strip()]()
    print(time.perf_counter() - start, flush=True)
