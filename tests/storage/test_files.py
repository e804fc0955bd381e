"""Stored files are whole or absent, and are what their names say."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.problems import Refused
from engine.storage.files import Files, clean_name, may_show

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
PDF = b"%PDF-1.7\n"
MB = 1 << 20


def docx(member: str = "[Content_Types].xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, "<Types/>")
    return out.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def everything(files: Files) -> list[Path]:
    return [path for path in files.root.rglob("*") if path.is_file()]


def refusal(files: Files, name: str, content: bytes, most: int = MB) -> tuple[str, int]:
    with pytest.raises(Refused) as caught:
        files.save(name, io.BytesIO(content), most=most)
    assert everything(files) == []
    return caught.value.problems[0].code, caught.value.status


def test_a_file_comes_back_as_it_was_under_a_name_that_says_nothing(files: Files) -> None:
    kept = files.save("../../合同 草案.pdf", io.BytesIO(PDF), most=MB)
    assert (kept.name, kept.size, kept.media_type) == ("合同 草案.pdf", len(PDF), "application/pdf")
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    assert "合同" not in kept.path
    with files.open(kept.path) as content:
        assert content.read() == PDF
    files.delete(kept.path)
    files.delete(kept.path)
    with pytest.raises(FileNotFoundError):
        files.open(kept.path)


def test_the_same_content_twice_is_two_files(files: Files) -> None:
    first, second = (files.save("a.txt", [b"x"], most=MB).path for _ in range(2))
    files.delete(first)
    assert [path for path, _ in files.stored()] == [second]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.png", b"<html><script>alert(1)</script></html>"),
        ("photo.jpg", PNG),
        ("photo.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("paper.pdf", b"MZ\x90\x00"),
        ("letter.docx", docx("word/document.xml")),
        ("letter.docx", b"PK\x03\x04 cut off"),
        ("notes.txt", b"\x7fELF\x00\x00"),
    ],
)
def test_a_disguised_file_is_refused(files: Files, name: str, content: bytes) -> None:
    assert refusal(files, name, content) == ("file-disguised", 415)


def test_a_file_may_be_so_large_and_no_larger(files: Files) -> None:
    assert refusal(files, "a.txt", b"x" * 11, most=10) == ("upload-too-large", 413)
    assert refusal(files, "a.txt", b"") == ("file-empty", 422)
    assert files.save("a.txt", io.BytesIO(b"x" * 10), most=10).size == 10


def test_an_endless_upload_is_cut_off_early(files: Files) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000

    with pytest.raises(Refused):
        files.save("a.bin", endless(), most=10_000)
    assert sent == 11
    assert everything(files) == []


def test_an_upload_that_breaks_off_leaves_nothing(files: Files) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        files.save("a.bin", broken(), most=MB)
    assert everything(files) == []


def test_only_pictures_and_papers_are_shown_in_place(files: Files) -> None:
    for name, content, shown in [
        ("a.png", PNG, True), ("a.pdf", PDF, True), ("a.docx", docx(), False), ("a.svg", b"<svg/>", False), ("a.html", b"<p>", False),
        ("a.txt", b"<script>", False), ("noending", PNG, False), (".png", PNG, False), ("a.exe", b"MZ", False),
    ]:  # fmt: skip
        kept = files.save(name, io.BytesIO(content), most=MB)
        assert may_show(kept.name, kept.media_type) is shown, name


@pytest.mark.parametrize(
    "path", ["../etc/passwd", "ab/../../x", "/etc/passwd", "ab", "", "ab/" + "x" * 29 + "/", "é" * 2 + "/" + "x" * 30]
)
def test_no_path_leads_out_of_the_folder(files: Files, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        files.place(path)


def test_names_are_cleaned_and_keep_their_ending() -> None:
    assert clean_name("C:\\tmp\\a\u202egnp.exe") == "agnp.exe"
    assert clean_name("a\r\nb\x00.txt") == "ab.txt"
    assert clean_name("..") == "file"
    assert clean_name("长" * 500 + ".pdf") == "长" * 196 + ".pdf"


def test_a_sweep_removes_what_no_row_knows_once_it_is_old(files: Files) -> None:
    known, lost, young = (files.save("a.txt", [b"x"], most=MB).path for _ in range(3))
    (files.root / "incoming" / "broken").write_bytes(b"x")
    for path in (files.place(known), files.place(lost), files.root / "incoming" / "broken"):
        os.utime(path, (1000, 1000))
    orphans = files.orphans(lambda paths: {known} & set(paths), before=2000)
    assert sorted(orphans) == sorted([lost, "incoming/broken"])
    assert files.sweep(orphans) == 2
    assert {path for path, _ in files.stored()} == {known, young}
