"""The dynamics of a robot arm with seven axes in space, written against a namespace `m` of NumPy's and JAX's names."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Of each joint the axis in the frame of the link before it, and of each link the vector to the next joint, in metres.
AXES = np.array([[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, -1, 0], [0, 0, 1], [0, -1, 0], [0, 0, -1]], float)
LINKS = np.array([[0, 0, 0.33], [0, 0, 0.1], [0.08, 0, 0.3], [-0.08, 0, 0.1], [0, 0, 0.28], [0.09, 0, 0], [0, 0, -0.1]])
#: The masses of the links in kilograms, and their moments of inertia about the centre, which is half way.
MASSES = np.linspace(4.0, 0.7, 7)
MOMENTS = (MASSES[:, None] * (np.sum(LINKS**2, axis=1)[:, None] - LINKS**2) / 12 + 1e-3)[:, :, None] * np.eye(3)
#: Of a vector v the matrix of w ↦ v × w.
CROSS = np.array(
    [[[0, 0, 0], [0, 0, -1], [0, 1, 0]], [[0, 0, 1], [0, 0, 0], [-1, 0, 0]], [[0, -1, 0], [1, 0, 0], [0, 0, 0]]]
)
GRAVITY = np.array([0.0, 0.0, 9.81])


def frames(m: Any, q: Any) -> tuple[Any, Any, Any, Any]:
    """Of each joint the axis and the place in space, of each link the centre (7, 3) and the rotation (7, 3, 3)."""
    turned, place = np.eye(3), np.zeros(3)
    axes, places, centres, rotations = [], [], [], []
    for i, (axis, link) in enumerate(zip(AXES, LINKS, strict=True)):
        axes.append(turned @ axis)
        places.append(place)
        k = np.tensordot(axis, CROSS, 1)
        turned = turned @ (np.eye(3) + m.sin(q[i]) * k + (1.0 - m.cos(q[i])) * (k @ k))  # Rodrigues' formula
        rotations.append(turned)
        centres.append(place + turned @ (0.5 * link))
        place = place + turned @ link
    return m.stack(axes), m.stack(places), m.stack(centres), m.stack(rotations)


def inertia(m: Any, q: Any) -> Any:
    """The inertia matrix (7, 7), by the links' Jacobians (Siciliano et al., Robotics, 2009, section 7.1)."""
    axes, places, centres, rotations = frames(m, q)
    moved_by = np.tri(7)[:, :, None]
    straight = moved_by * m.cross(axes[None], centres[:, None] - places[None])
    turning = moved_by * axes[None]
    moments = rotations @ MOMENTS @ m.swapaxes(rotations, 1, 2)
    spin = m.einsum("iak,ikl,ibl->ab", turning, moments, turning)
    return m.einsum("i,iak,ibk->ab", MASSES, straight, straight) + spin


def acceleration(m: Any, q: Any, speed: Any, torque: Any) -> Any:
    """Forward dynamics: M q'' = torque - (M' q' - d/dq (q' M q' / 2)) - dV/dq."""

    def lagrangian(q: Any) -> Any:
        height = frames(m, q)[2] @ GRAVITY
        return 0.5 * speed @ inertia(m, q) @ speed - MASSES @ height

    matrix, change = m.jvp(lambda q: inertia(m, q), (q,), (speed,))
    return m.linalg.solve(matrix, torque - change @ speed + m.grad(lagrangian)(q))
