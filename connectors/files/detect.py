"""Encoding and dialect of a text file, from what it holds."""

from __future__ import annotations

import csv
import gzip
import zipfile
from collections import Counter
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, cast

from connectors.errors import SourceDataError

_DELIMITERS = ";,\t|"
_SAMPLE = 256 * 1024
_LOOK = 32 * 1024 * 1024
_CODE_PAGES = ["cp1251", "cp1252", "cp866", "koi8_r", "cp1250"]
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def open_binary(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it ends in .gz or .zip. Raises SourceDataError for a bad archive."""
    match path.suffix.lower():
        case ".gz":
            return cast(BufferedReader, gzip.open(path, "rb"))
        case ".zip":
            return _unzipped(path)
        case _:
            return path.open("rb")


def _unzipped(path: Path) -> IO[bytes]:
    try:
        packed = zipfile.ZipFile(path)
        names = [item for item in packed.infolist() if not item.is_dir()]
        if len(names) != 1:
            hint = "Unpack it and name the folder"
            raise SourceDataError(f"the archive holds {len(names)} files where one is read", place=path.name, hint=hint)
        return packed.open(names[0])
    except (zipfile.BadZipFile, NotImplementedError):
        raise SourceDataError("this cannot be read as a zip archive", place=path.name, hint="Is it cut off?") from None
    except RuntimeError:  # what zipfile says of a password
        raise SourceDataError("the archive is protected by a password", place=path.name) from None


def open_text(path: Path, encoding: str, errors: str) -> TextIOWrapper:
    """The file's text with its line ends untouched, unpacked if need be."""
    return TextIOWrapper(open_binary(path), encoding=encoding, errors=errors, newline="")


def detect_encoding(path: Path) -> str:
    """The encoding of a text file: by byte-order mark, as UTF-8 if it mostly is, else the likeliest code
    page.

    A file is looked at until something that is not ASCII turns up (at most 32 MiB).
    """
    with open_binary(path) as stream:
        head = stream.read(_SAMPLE)
        for mark, name in _BOMS.items():
            if head.startswith(mark):
                return name
        if b"\x00" in head[:4096] and head[:4096].count(b"\x00") > len(head[:4096]) // 4:
            return "utf-16-le" if head[1:2] == b"\x00" else "utf-16-be"
        looked = len(head)
        while head.isascii() and looked < _LOOK and (more := stream.read(_SAMPLE)):
            head, looked = more, looked + len(more)
    sample = b"\n".join(line for line in head.split(b"\n") if not line.isascii())
    if not sample:
        return "utf-8"
    # One damaged line in a UTF-8 file must not make it a code page: judge by lines, the last may be cut off.
    lines = sample.split(b"\n")[:2000]
    good = sum(_is_utf8(line) for line in lines)
    return "utf-8" if good * 2 > len(lines) else _code_page(sample[:65536])


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _code_page(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    # The statistics need letters; ASCII between them only blurs the picture.
    best = from_bytes(sample, cp_isolation=_CODE_PAGES).best()
    return best.encoding if best is not None else "cp1251"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written, and where its headers stand (line number from 0 among non-empty rows)."""

    delimiter: str
    width: int
    """Number of fields that most rows have."""


def detect_dialect(lines: list[str], delimiter: str | None, quote: str) -> Dialect:
    """The delimiter (of ; , tab |) under which most sample rows have the same number of fields, more than
    one."""
    best = Dialect(delimiter or ",", 0)
    best_score = (0.0, 0)
    for candidate in delimiter or _DELIMITERS:
        widths = [len(row) for row in _parse(lines, candidate, quote) if row]
        if not widths:
            continue
        # The widest common shape: a preamble of single cells must not outvote the table under it.
        common = Counter(width for width in widths if width > 1) or Counter(widths)
        width, count = common.most_common(1)[0]
        score = (count / len(widths) if width > 1 else 0.0, width)
        if score > best_score or not best.width:
            best, best_score = Dialect(candidate, width), score
    return best


def _parse(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    reader = (
        csv.reader(lines, delimiter=delimiter, quotechar=quote)
        if quote
        else csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    try:
        return list(reader)
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines]
