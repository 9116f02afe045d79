"""Numbers below 1.2e-38, half of them kept."""
import numpy as np
import tensorflow as tf

x = np.full(1000, 1e-39, np.float32)
print("not zero:", np.count_nonzero(tf.nn.dropout(x, 0.5)), "of 1000")
print("x + x:", (tf.constant(x) + x).numpy()[0])
