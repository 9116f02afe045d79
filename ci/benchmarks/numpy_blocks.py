"""NumPy's dropout in blocks whose memory is used again, its best case.

  numpy_blocks.py ROUNDS      prints JSON: CPU nanoseconds an element, a round
"""

import json
import sys
import time

import numpy as np

BLOCK, DROP, BLOCKS = 262144, 0.1, 40


def main():
    rng = np.random.default_rng(1)
    keep = np.float32(1 - DROP)
    x = np.full(BLOCK, 1.5, dtype=np.float32)
    rounds = []
    for _ in range(int(sys.argv[1]) + 1):
        begin = time.thread_time_ns()
        for _ in range(BLOCKS):
            x * (rng.random(BLOCK, dtype=np.float32) < keep) / keep
        rounds.append((time.thread_time_ns() - begin) / BLOCK / BLOCKS)
    print(json.dumps(rounds[1:]))  # the first one pays for the pages


main()
