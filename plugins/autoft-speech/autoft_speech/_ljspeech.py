"""The form of the LJ Speech data set: metadata.csv with lines name|transcript|normalised, recordings in wavs/."""

from __future__ import annotations

from pathlib import Path

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, is_media
from autoft_speech._lists import folder_of, lines, missing

FILE, FOLDER = "metadata.csv", "wavs"
PEEK = 4096


class LjspeechReader:
    """Names without suffixes, fields between bars, no header, no quotes."""

    name = "ljspeech"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the first line."""
        root = folder_of(source, options)
        if root is None or not (root / FILE).is_file() or not (root / FOLDER).is_dir():
            return ""
        try:
            with (root / FILE).open("rb") as file:
                first = file.readline(PEEK).decode("utf-8", "replace")
        except OSError:  # it cannot be read, so it cannot be recognised
            return ""
        name, bar, _ = first.partition("|")
        return f"{FILE} of lines name|transcript, as LJ Speech has it" if bar and "," not in name else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line whose recording is there; the last field of a line is what is said.

        Raises:
            DataError: it is not in this form, or not in UTF-8.
        """
        root = folder_of(source, options)
        if root is None or not self.sniff(source, options):
            raise DataError(f"'{source}' must hold {FILE} with lines name|transcript and {FOLDER}/, but it does not.")
        files = {path.stem: path for path in sorted((root / FOLDER).iterdir()) if is_media(str(path), "audio")}
        samples: list[Sample] = []
        issues: list[Issue] = []
        seen: set[str] = set()
        for number, line in lines(root / FILE):
            cells = [cell.strip() for cell in line.split("|")]
            name = Path(cells[0]).stem if is_media(cells[0], "audio") else cells[0]
            if len(cells) < 2 or not cells[-1]:
                issues.append(Issue(kind="no_transcript", subject=f"line {number}", detail=line[:80]))
            elif name not in files:
                issues.append(missing(f"line {number}", f"{FOLDER}/{cells[0]}"))
            elif name in seen:
                issues.append(Issue(kind="bad_row", subject=f"line {number}", detail=f"'{name}' is named twice"))
            else:
                seen.add(name)
                samples.append(_sample(name, files[name], cells[-1]))
        words = f"{FILE} as LJ Speech has it: {len(samples)} recordings with transcripts"
        return Dataset(samples=tuple(samples), reader=self.name, root=str(root), recognised=words, issues=tuple(issues))


def _sample(name: str, path: Path, said: str) -> Sample:
    return Sample(id=name, fields={"audio": str(path), "transcript": said})
