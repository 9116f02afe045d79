"""Layers that accept a rate of 1 and then divide by 1 - rate."""
import keras

for kind in ("Dropout", "AlphaDropout", "GaussianDropout"):
    try:
        layer = getattr(keras.layers, kind)(1.0)
        print(kind, layer(keras.ops.ones((1, 3)), training=True))
    except ZeroDivisionError as error:
        words = str(error).split("\x1b[1m")[-1].split("\x1b")[0]
        print(kind, f"ZeroDivisionError: {words}")
