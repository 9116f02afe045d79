"""Rates that are none."""
import tensorflow as tf

for rate in (-0.1, 1.0, float("nan")):
    try:
        print(rate, tf.nn.dropout(tf.ones([4]), rate).numpy())
    except ValueError as error:
        print(rate, "ValueError:", error)
