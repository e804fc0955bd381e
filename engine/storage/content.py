"""What a file really is, told from its first bytes: its name is only what somebody says.

A name's ending must agree with the content where the kind of file has a recognisable beginning.  What browsers would run
as a page or a script is never shown inside a page of ours, whatever it is called.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

HEAD = 4096  # bytes that are looked at


@dataclass(frozen=True)
class Kind:
    """A media type, the beginnings by which it is known (offset, bytes), and whether a browser may show it in place.

    `member` is a name that must stand in a zip archive of this kind.
    """

    media_type: str
    marks: tuple[tuple[int, bytes], ...] = ()
    inline: bool = False
    member: str | None = None
    text: bool = False


_ZIP = ((0, b"PK\x03\x04"), (0, b"PK\x05\x06"))
_OLE = ((0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ISO = ((4, b"ftyp"),)
_XML = "[Content_Types].xml"

KINDS: Mapping[str, Kind] = {
    "png": Kind("image/png", ((0, b"\x89PNG\r\n\x1a\n"),), inline=True),
    "jpg": Kind("image/jpeg", ((0, b"\xff\xd8\xff"),), inline=True),
    "jpeg": Kind("image/jpeg", ((0, b"\xff\xd8\xff"),), inline=True),
    "gif": Kind("image/gif", ((0, b"GIF87a"), (0, b"GIF89a")), inline=True),
    "webp": Kind("image/webp", ((8, b"WEBP"),), inline=True),
    "bmp": Kind("image/bmp", ((0, b"BM"),), inline=True),
    "heic": Kind("image/heic", _ISO),
    "heif": Kind("image/heif", _ISO),
    "avif": Kind("image/avif", _ISO, inline=True),
    "tif": Kind("image/tiff", ((0, b"II*\x00"), (0, b"MM\x00*"))),
    "tiff": Kind("image/tiff", ((0, b"II*\x00"), (0, b"MM\x00*"))),
    "pdf": Kind("application/pdf", ((0, b"%PDF-"),), inline=True),
    "docx": Kind(_OFFICE + "wordprocessingml.document", _ZIP, member=_XML),
    "xlsx": Kind(_OFFICE + "spreadsheetml.sheet", _ZIP, member=_XML),
    "pptx": Kind(_OFFICE + "presentationml.presentation", _ZIP, member=_XML),
    "odt": Kind("application/vnd.oasis.opendocument.text", _ZIP, member="content.xml"),
    "ods": Kind("application/vnd.oasis.opendocument.spreadsheet", _ZIP, member="content.xml"),
    "odp": Kind("application/vnd.oasis.opendocument.presentation", _ZIP, member="content.xml"),
    "doc": Kind("application/msword", _OLE),
    "xls": Kind("application/vnd.ms-excel", _OLE),
    "ppt": Kind("application/vnd.ms-powerpoint", _OLE),
    "wps": Kind("application/octet-stream", (*_OLE, *_ZIP)),
    "zip": Kind("application/zip", _ZIP),
    "rar": Kind("application/vnd.rar", ((0, b"Rar!\x1a\x07"),)),
    "7z": Kind("application/x-7z-compressed", ((0, b"7z\xbc\xaf\x27\x1c"),)),
    "gz": Kind("application/gzip", ((0, b"\x1f\x8b"),)),
    "mp3": Kind("audio/mpeg", ((0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf2"))),
    "m4a": Kind("audio/mp4", _ISO),
    "amr": Kind("audio/amr", ((0, b"#!AMR"),)),
    "wav": Kind("audio/wav", ((0, b"RIFF"),)),
    "mp4": Kind("video/mp4", _ISO),
    "mov": Kind("video/quicktime", ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"))),
    "txt": Kind("text/plain", text=True),
    "csv": Kind("text/csv", text=True),
    "md": Kind("text/markdown", text=True),
    "json": Kind("application/json", text=True),
}  # fmt: skip
# Stored and handed out for saving only; a browser must not learn that it could open them.
OPAQUE = Kind("application/octet-stream")


def ending_of(name: str) -> str:
    """The lower-case ending of a file name without the dot; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def kind_of(name: str, file: BinaryIO) -> Kind | None:
    """What a file is if its content agrees with its name; None if it does not. `file` is read from its start."""
    kind = KINDS.get(ending_of(name))
    file.seek(0)
    head = file.read(HEAD)
    if kind is None:
        return OPAQUE
    if kind.text:
        return kind if _is_text(head) else None
    if not any(head[offset : offset + len(mark)] == mark for offset, mark in kind.marks):
        return None
    if kind.member is not None and not _has_member(file, kind.member):
        return None
    return kind


def _is_text(head: bytes) -> bool:
    """Whether it may be text of some encoding: UTF-16 begins with its mark, others hold no zero byte."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" not in head


def _has_member(file: BinaryIO, member: str) -> bool:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            archive.getinfo(member)
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, OSError):
        return False
    return True
