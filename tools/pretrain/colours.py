"""Random palettes: what turns a scalar field into a coloured surface."""

from __future__ import annotations

import torch
from torch import Tensor

STOPS = 8


def palettes(count: int, random: torch.Generator) -> Tensor:
    """(count, STOPS, 3) in [0, 1]: a smooth run between three related colours, or unrelated steps."""
    base = torch.rand((count, 1, 1), generator=random)
    spread = torch.rand((count, 1, 1), generator=random) ** 2
    hue = base + spread * (torch.rand((count, 3, 1), generator=random) - 0.5)
    saturation = torch.rand((count, 1, 1), generator=random) ** 1.3 * torch.rand((count, 3, 1), generator=random) ** 0.5
    middle = torch.rand((count, 1, 1), generator=random)
    contrast = 0.25 + 0.9 * torch.rand((count, 1, 1), generator=random)
    value = (middle + contrast * (torch.rand((count, 3, 1), generator=random) - 0.5)).clamp(0, 1)
    smooth = _between(rgb(hue % 1, saturation, value))
    order = torch.randint(0, STOPS, (count, STOPS), generator=random)
    stepped = smooth.gather(1, order[..., None].expand(-1, -1, 3))
    return torch.where(torch.rand((count, 1, 1), generator=random) < 0.25, stepped, smooth)


def rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue, saturation and value (..., 1) to red, green and blue (..., 3)."""
    sector = (hue * 6 + torch.tensor([5.0, 3.0, 1.0])) % 6
    return value - value * saturation * torch.minimum(sector, 4 - sector).clamp(0, 1)


def _between(anchors: Tensor) -> Tensor:
    """Three colours to STOPS colours on the way from the first over the second to the third."""
    place = torch.linspace(0, 2, STOPS)[None, :, None]
    weights = [(1 - (place - k).abs()).clamp(0, 1) for k in range(3)]
    return sum(weight * anchors[:, k : k + 1] for k, weight in enumerate(weights))


def paint(field: Tensor, palette: Tensor) -> Tensor:
    """Fields (n, 1, h, w) in [0, 1] to images (n, 3, h, w) by a piecewise linear walk through the palette."""
    n, _, h, w = field.shape
    place = (field.reshape(n, -1) * (STOPS - 1)).clamp(0, STOPS - 1.001)
    low = place.long()
    part = (place - low)[..., None]
    first = palette.gather(1, low[..., None].expand(-1, -1, 3))
    second = palette.gather(1, (low + 1)[..., None].expand(-1, -1, 3))
    return torch.lerp(first, second, part).permute(0, 2, 1).reshape(n, 3, h, w)
