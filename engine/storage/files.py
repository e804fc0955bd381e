"""Stored files: below one folder, under random names, complete or absent.

A file is written beside its place, flushed to the disk, and then renamed, so that a crash leaves no half a file under a
name that a row of `dg_file` points to.  Whose it is and who may see it is known by that row alone; the name here says
nothing.
"""

import hashlib
import os
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.problems import Problem, Refused
from engine.storage.content import KINDS, OPAQUE, ending_of, kind_of
from engine.storage.errors import FULL, Unavailable

CHUNK = 1 << 16
LONGEST_NAME = 200  # characters
_INCOMING = "incoming"
_ASKED = 50_000  # paths at once: each time all rows are looked through


@dataclass(frozen=True)
class Kept:
    """A stored file: `path` below the root, `name` as people gave it (cleaned), `size` in bytes."""

    path: str
    name: str
    size: int
    media_type: str
    sha256: str


class Files:
    """The files of one installation, below `root`."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def save(self, name: str, content: BinaryIO | Iterable[bytes], *, most: int, field: str = "") -> Kept:
        """Store `content` of at most `most` bytes. Nothing is left behind when it is refused.

        Raises Refused: 413 `upload-too-large`, 422 `file-empty`, 415 `file-disguised` when the content is not what the
        name's ending says.  Raises Unavailable when the disk takes no more.
        """
        name = clean_name(name)
        path = self._fresh()
        incoming = self.root / _INCOMING / path.replace("/", "")
        incoming.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(incoming, "x+b") as file:
                digest, size = hashlib.sha256(), 0
                for chunk in _chunks(content):
                    size += len(chunk)
                    if size > most:
                        raise Refused(Problem("upload-too-large", field, {"name": name, "most": _megabytes(most)}), 413)
                    digest.update(chunk)
                    file.write(chunk)
                if not size:
                    raise Refused(Problem("file-empty", field, {"name": name}), 422)
                file.flush()
                kind = kind_of(name, file)
                if kind is None:
                    raise Refused(Problem("file-disguised", field, {"name": name, "ending": ending_of(name)}), 415)
                os.fsync(file.fileno())
            place = self.root / path
            if not place.parent.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                _sync_folder(self.root)
            os.rename(incoming, place)
            _sync_folder(place.parent)
        except BaseException as error:
            with suppress(FileNotFoundError):
                incoming.unlink()
            if isinstance(error, OSError) and error.errno in FULL:
                raise Unavailable(str(error)) from error
            raise
        return Kept(path, name, size, kind.media_type, digest.hexdigest())

    def open(self, path: str) -> BinaryIO:
        """The content of a stored file. Raises FileNotFoundError."""
        return open(self.place(path), "rb")

    def place(self, path: str) -> Path:
        """Where a stored file lies. Raises FileNotFoundError for a path that no file of ours can have."""
        folder, slash, rest = path.partition("/")
        if not (slash and len(folder) == 2 and len(rest) == 30 and (folder + rest).isalnum() and path.isascii()):
            raise FileNotFoundError(path)
        return self.root / path

    def delete(self, path: str) -> None:
        """Remove a stored file; one that is gone already is none."""
        with suppress(FileNotFoundError):
            self.place(path).unlink()

    def stored(self) -> Iterator[tuple[str, float]]:
        """Every stored file with the time of its making, in seconds."""
        for folder in sorted(self.root.glob("??")):
            for file in sorted(folder.iterdir()):
                with suppress(FileNotFoundError):
                    yield f"{folder.name}/{file.name}", file.stat().st_mtime

    def orphans(self, known: Callable[[list[str]], Collection[str]], before: float) -> list[str]:
        """Files made before `before` (seconds) that no row knows, and uploads that were broken off before.

        `known` says which of some paths a row knows; it is asked after they were seen.  A row is written after its file,
        so `before` must leave a running upload the time it needs.
        """
        old = [path for path, made in self.stored() if made < before]
        found = []
        for start in range(0, len(old), _ASKED):
            some = old[start : start + _ASKED]
            rows = known(some)
            found += [path for path in some if path not in rows]
        for file in sorted((self.root / _INCOMING).glob("*")):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < before:
                    found.append(f"{_INCOMING}/{file.name}")
        return found

    def sweep(self, orphans: Iterable[str]) -> int:
        """Remove what `orphans` found; how many bytes that gave back."""
        freed = 0
        for path in orphans:
            folder, _, name = path.partition("/")
            with suppress(FileNotFoundError):
                file = self.root / _INCOMING / Path(name).name if folder == _INCOMING else self.place(path)
                size = file.stat().st_size
                file.unlink()
                freed += size
        return freed

    def _fresh(self) -> str:
        name = secrets.token_hex(16)
        return f"{name[:2]}/{name[2:]}"


def may_show(name: str, media_type: str) -> bool:
    """Whether a browser may show the file in place; all others are for saving. Pages and drawings with scripts never are."""
    kind = KINDS.get(ending_of(name), OPAQUE)
    return kind.inline and kind.media_type == media_type


def clean_name(name: str) -> str:
    """A file name as it is shown and handed out: no path, no control or direction marks, not too long, its ending kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C").strip(" .")
    if len(plain) > LONGEST_NAME:
        stem, dot, ending = plain.rpartition(".")
        tail = dot + ending if stem and len(ending) <= 20 else ""
        plain = plain[: LONGEST_NAME - len(tail)].rstrip(" .") + tail
    return plain or "file"


def _chunks(content: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(content, "read", None)
    if read is None:
        yield from content
    else:
        while chunk := read(CHUNK):
            yield chunk


def _megabytes(size: int) -> str:
    return f"{size / 1_048_576:.4g} MB"


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where folders can be flushed."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
