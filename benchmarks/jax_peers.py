"""JAX's side: ``lax.scan`` under ``jit``, the cell written by hand, the product with the input before it."""

import jax
import jax.numpy as jnp
import numpy as np
from hand_cells import HAND_CELLS, Operations
from jax import lax
from sides import Arrays, Side, Subject

from noria.arrays import Array

EPSILON = 1e-5


def _normalised(a: jax.Array, count: int, gain: jax.Array, bias: jax.Array) -> jax.Array:
    parts = a.reshape(a.shape[0], count, -1)
    centred = parts - parts.mean(-1, keepdims=True)
    scaled = centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + EPSILON)
    return scaled.reshape(a.shape) * gain + bias


OPERATIONS = Operations(
    affine=lambda a, h, U: a + h @ U,
    sigmoid=jax.nn.sigmoid,
    tanh=jnp.tanh,
    parts=lambda a, count: jnp.split(a, count, -1),
    normalised=_normalised,
)


def scan(subject: Subject) -> Side:
    """Run forward and backward in one compiled function; matrices are (inputs, outputs)."""
    cell, point = HAND_CELLS[subject.cell.name], subject.point
    cuts = np.cumsum([len(group) * point.hidden for group in cell.groups])[:-1].tolist()

    def forward(weights: dict[str, jax.Array], x: jax.Array) -> jax.Array:
        products = x @ weights["W"] + weights.get("b", 0.0)
        start = (jnp.zeros((point.batch, point.hidden), jnp.float32),) * cell.states

        def step(state: tuple[jax.Array, ...], a: list[jax.Array]) -> tuple[tuple[jax.Array, ...], jax.Array]:
            state = cell.step(OPERATIONS, weights, a, state)
            return state, state[0]

        return lax.scan(step, start, jnp.split(products, cuts, -1))[1]

    @jax.jit
    def both(
        weights: dict[str, jax.Array], x: jax.Array, d_y: jax.Array
    ) -> tuple[jax.Array, tuple[dict[str, jax.Array], jax.Array]]:
        y, backward = jax.vjp(forward, weights, x)
        return y, backward(d_y)

    def turned(parameters: Arrays) -> dict[str, Array]:
        return {name: np.ascontiguousarray(array.T) for name, array in cell.weights(parameters).items()}

    weights = {name: jnp.asarray(array) for name, array in turned(subject.parameters).items()}
    x = jnp.asarray(subject.x.rows.reshape(point.steps, point.batch, -1))
    d_y = jnp.asarray(subject.d_y.reshape(point.steps, point.batch, -1))

    def run() -> tuple[jax.Array, tuple[dict[str, jax.Array], jax.Array]]:
        return jax.block_until_ready(both(weights, x, d_y))

    def results() -> Arrays:
        y, (d_weights, d_x) = run()
        rows = {"y": y.reshape(-1, point.hidden), "d_x": d_x.reshape(-1, point.inputs)}
        return {name: np.asarray(array) for name, array in {**rows, **d_weights}.items()}

    return Side(run, results, lambda ours: {"y": ours["y"], "d_x": ours["d_x"], **turned(ours)})
