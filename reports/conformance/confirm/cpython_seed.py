"""Two numbers, one generator."""
import random

a, b = random.Random(0), random.Random(2**64 - 2**32)
print([a.random() for _ in range(3)])
print([b.random() for _ in range(3)])
print("one state:", random.Random(0).getstate() ==
      random.Random(2**64 - 2**32).getstate())
