"""Reads ahead: a thread makes the next items while the caller works on the present one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 2) -> Iterator[T]:
    """The same items, at most `depth` of them made before they are asked for. An error in the thread is raised here."""
    line: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(depth)
    over = threading.Event()

    def put(item: tuple[T] | BaseException | None) -> None:
        while not over.is_set():
            try:
                line.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            for item in items:
                put((item,))
                if over.is_set():
                    return
            put(None)
        except BaseException as error:  # handed to the thread that waits for items
            put(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while (found := line.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        over.set()
        thread.join()
