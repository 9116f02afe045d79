"""Numbers below 1.2e-38, half of them kept."""
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen

x = np.full(1000, 1e-39, np.float32)
y = linen.Dropout(0.5).apply({}, x, deterministic=False,
                             rngs={"dropout": jax.random.key(0)})
print("not zero:", np.count_nonzero(np.asarray(y)), "of 1000")
print("x + x:", np.asarray(jnp.asarray(x) + x)[0])
