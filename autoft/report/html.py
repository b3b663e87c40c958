"""Small builders of HTML. Every text passes through `text`, which escapes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from autoft.report.words import printable


def text(what: Any) -> str:
    """Any value as escaped text."""
    return escape(printable(str(what)))


def section(title: str, *parts: str) -> str:
    """A titled part of the page, or nothing if all its parts are empty."""
    inside = "".join(parts)
    return f"<section><h2>{text(title)}</h2>{inside}</section>" if inside else ""


def tile(label: str, number: str, remark: str = "") -> str:
    end = f"<span>{text(remark)}</span>" if remark else ""
    return f'<div class="tile"><span>{text(label)}</span><b>{text(number)}</b>{end}</div>'


def figure(caption: str, svg: str, key: Sequence[tuple[str, str]] = ()) -> str:
    """A chart with its caption and the meaning of its colours; nothing without a chart."""
    if not svg:
        return ""
    marks = "".join(f'<span class="entry"><span class="key {kind}"></span>{text(words)}</span> ' for kind, words in key)
    return f"<figure><figcaption>{text(caption)} {marks}</figcaption>{svg}</figure>"


def table(heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], numeric: Sequence[str] = ()) -> str:
    """A table; each row is a CSS class and its cells. Columns in `numeric` stand to the right."""
    kinds = [' class="n"' if head in numeric else "" for head in heads]
    top = "".join(f"<th{kind}>{text(head)}</th>" for head, kind in zip(heads, kinds, strict=True))
    body = "".join(_row(kind, cells, kinds) for kind, cells in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>' if body else ""


def _row(kind: str, cells: Sequence[str], kinds: Sequence[str]) -> str:
    inside = "".join(
        f"<td{' class=' + chr(34) + 'long' + chr(34) if not k and len(cell) > 60 else k}>{text(cell)}</td>"
        for cell, k in zip(cells, kinds, strict=True)
    )
    return f"<tr{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{inside}</tr>"


def pre(words: str) -> str:
    return f"<pre>{text(words)}</pre>" if words else ""


def folded(title: str, inside: str) -> str:
    """Content behind a title that opens by a click, without a script; nothing without content."""
    return f"<details><summary>{text(title)}</summary>{inside}</details>" if inside else ""


def listed(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
