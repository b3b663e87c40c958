"""How encoders take samples of several texts, and how these share what room there is."""

from __future__ import annotations


def text_pair(texts: tuple[str, ...]) -> tuple[str, ...]:
    """One text or two: from the third one on, they count as part of the second."""
    return texts if len(texts) < 3 else (texts[0], "\n".join(texts[1:]))


def shared_room(lengths: list[int], room: int) -> list[int]:
    """Lengths of one text or two that fit into the room together: the longer one gives way."""
    if sum(lengths) <= room:
        return lengths
    if len(lengths) == 1:
        return [room]
    first, second = lengths
    half = room // 2
    if first <= half:
        return [first, room - first]
    return [room - second, second] if second <= half else [room - half, half]
