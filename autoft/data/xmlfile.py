"""XML of annotations, read without entities, DTDs, or anything outside the file."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from autoft.datarecords import Issue


def read_xml(file: Path, issues: list[Issue]) -> Element | None:
    """The tree of a file; None and an issue where it is damaged, or wants more than itself."""
    try:
        tree: Element | None = SafeTree.parse(file, forbid_dtd=True).getroot()
    except (OSError, ValueError, ParseError, DefusedXmlException) as error:
        detail = f"{type(error).__name__}: {error}"[:200]
        issues.append(Issue(kind="unreadable", subject=file.name, detail=detail))
        return None
    return tree
