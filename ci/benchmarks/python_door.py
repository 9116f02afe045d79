"""CPU seconds, decisions: the drop rate of F.dropout to DELTA by the Python door.

  python_door.py DELTA
"""

import json
import sys
import time

import dropcheck
import torch
import torch.nn.functional

torch.set_num_threads(1)


def layer(x, p, training, inplace=False):
    return torch.nn.functional.dropout(x, p, training, inplace)


begin = time.process_time()
result = dropcheck.verify(layer, layer="dropout", p=0.1, framework="torch",
                          only="drop_rate", profile="pr",
                          delta=float(sys.argv[1]), threads=1, seed=1,
                          shrink=0)
print(json.dumps({"cpu_seconds": time.process_time() - begin,
                  "n": sum(one.n for one in result.findings)}))
