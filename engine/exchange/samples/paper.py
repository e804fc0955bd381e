"""Small files of each kind, so that what asks for a file finds one that opens."""

import base64
import io
import zipfile
from collections.abc import Sequence

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////"
    "wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
_TYPES = '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{}</Types>'
_RELATIONS = '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{}"/></Relationships>'
PREFERRED = ("pdf", "jpg", "png", "docx", "xlsx", "txt", "csv", "md", "pptx", "jpeg")


def content(ending: str) -> bytes | None:
    """A small file of the kind; None for kinds that nobody makes here."""
    match ending:
        case "pdf":
            return _pdf()
        case "png":
            return _PNG
        case "jpg" | "jpeg":
            return _JPEG
        case "txt" | "md" | "csv":
            return "示例文件\nDemo file\n".encode()
        case "docx":
            return _docx()
        case "xlsx":
            return _xlsx()
        case "pptx":
            return _archive(
                "ppt/presentation.xml",
                "presentationml.presentation.main",
                '<p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"/>',
            )
    return None


def possible(endings: Sequence[str]) -> str | None:
    """The ending to take of those allowed (none given: any); None if no such file can be made."""
    allowed = [ending.lower().lstrip(".") for ending in endings] or list(PREFERRED)
    return next((ending for ending in PREFERRED if ending in allowed), None)


def _pdf() -> bytes:
    """One empty page (ISO 32000-1, 7.5)."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def _docx() -> bytes:
    body = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>示例文件 Demo file</w:t></w:r></w:p></w:body></w:document>'
    return _archive("word/document.xml", "wordprocessingml.document.main", body)


def _archive(part: str, kind: str, body: str) -> bytes:
    out = io.BytesIO()
    override = f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", _TYPES.format(override))
        packed.writestr("_rels/.rels", _RELATIONS.format(part))
        packed.writestr(part, f'<?xml version="1.0" encoding="UTF-8"?>{body}')
    return out.getvalue()


def _xlsx() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet().write_string(0, 0, "示例文件 Demo file")
    book.close()
    return out.getvalue()
