"""What one would write with torch and SciPy: one call of F.dropout, three
tests.

  torch_script.py ELEMENTS THREADS
"""

import sys

import torch
from scipy import stats


def main():
    count, drop = int(sys.argv[1]), 0.1
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(1)
    y = torch.nn.functional.dropout(torch.ones(count), drop, True)
    kept = y != 0
    rate = stats.binomtest(int(kept.sum()), count, 1 - drop)
    pairs = torch.bincount(2 * kept[:-1] + kept[1:].long(), minlength=4)
    lag = stats.chi2_contingency(pairs.reshape(2, 2).numpy())
    mean = (float(y.mean(dtype=torch.float64)) - 1) / (
        float(y.std()) / count**0.5)
    print(rate.pvalue, lag[1], 2 * stats.norm.sf(abs(mean)))


main()
