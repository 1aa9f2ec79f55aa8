"""Shapes of painted things: coverage of each pixel (row, col), 0..1, with softened edges."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import gaussian_filter

OVERSAMPLING = 4


def frame(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets x, y (px) of the fine grid from the middle of a square of `size` px."""
    line = (np.arange(size * OVERSAMPLING) + 0.5) / OVERSAMPLING - size / 2
    return np.meshgrid(line, line)


def turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in axes turned by the angle (radians)."""
    return x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)


def coverage(inside: np.ndarray, feather: float) -> np.ndarray:
    """Share of each pixel that is inside, blurred by `feather` px."""
    size = inside.shape[0] // OVERSAMPLING
    share = inside.reshape(size, OVERSAMPLING, size, OVERSAMPLING).mean((1, 3), dtype=np.float32)
    return gaussian_filter(share, feather)


def blob(x, y, area: float, rng: np.random.Generator, roughness: float = 0.35) -> np.ndarray:
    """Distance-like field of an irregular outline: negative inside; elongation up to 2.2."""
    stretch = math.exp(rng.uniform(0, 0.8))
    x, y = turned(x, y, rng.uniform(0, math.pi))
    angle = np.arctan2(y / math.sqrt(1 / stretch), x / math.sqrt(stretch))
    radius = np.hypot(x / math.sqrt(stretch), y * math.sqrt(stretch))
    outline = np.ones_like(x)
    for wave in range(2, 6):
        outline = outline + roughness / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 6.3))
    return radius - math.sqrt(area / math.pi) * np.clip(outline, 0.4, 1.8)


def rectangle(x, y, length: float, width: float, angle: float) -> np.ndarray:
    """Distance-like field of a rectangle: negative inside."""
    along, across = turned(x, y, angle)
    return np.maximum(np.abs(along) - length / 2, np.abs(across) - width / 2)


def band(x, y, length: float, width: float, angle: float, bend: float) -> np.ndarray:
    """Distance-like field of a bent strip: negative inside; `bend` is its arrow height over the length."""
    along, across = turned(x, y, angle)
    arc = bend * length * (1 - (2 * along / length) ** 2)
    return np.maximum(np.abs(along) - length / 2, np.abs(across - arc + bend * length / 2) - width / 2)
