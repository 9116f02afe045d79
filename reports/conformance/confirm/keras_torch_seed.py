"""The second call with a seed is the first call with the next seed."""
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras

x = keras.ops.ones((1, 40))
five = keras.layers.Dropout(0.5, seed=5)
six = keras.layers.Dropout(0.5, seed=6)
for name, layer in (("5", five), ("5", five), ("6", six)):
    y = keras.ops.convert_to_numpy(layer(x, training=True))[0]
    print(f"seed {name}:", "".join("10"[int(value == 0)] for value in y))
