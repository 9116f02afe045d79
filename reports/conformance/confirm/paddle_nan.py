"""Drop probabilities that are none."""
import paddle

for p in (-0.1, 1.1, float("nan")):
    try:
        print(p, paddle.nn.Dropout(p)(paddle.ones([4])).numpy())
    except ValueError as error:
        print(p, "ValueError:", error)
