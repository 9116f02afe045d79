"""What one would write with NumPy and SciPy: one mask, three tests.

  numpy_script.py ELEMENTS THREADS      (NumPy uses one thread anyway)
"""

import sys

import numpy as np
from scipy import stats


def main():
    count, drop = int(sys.argv[1]), 0.1
    x = np.full(count, 1.0, dtype=np.float32)
    rng = np.random.default_rng(1)
    y = x * (rng.random(count, dtype=np.float32) < 1 - drop) / (1 - drop)
    kept = y != 0
    rate = stats.binomtest(int(np.count_nonzero(kept)), count, 1 - drop)
    pairs = np.bincount(2 * kept[:-1] + kept[1:], minlength=4).reshape(2, 2)
    lag = stats.chi2_contingency(pairs)
    mean = stats.ttest_1samp(y, 1.0)
    print(rate.pvalue, lag[1], mean.pvalue)


main()
