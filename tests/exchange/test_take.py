"""What goes out is what the person sees, harmless in a spreadsheet, and comes back equal."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from engine.access.principal import engine_principal
from engine.exchange import bring, stream_csv, take, template
from engine.exchange.cells import reader
from engine.exchange.neutral import neutral, restored
from engine.exchange.take import Export, _Cell
from engine.fields import field_types
from engine.problems import Refused
from engine.reading import Query
from engine.storage import system
from tests.runtime.conftest import Works

WORDS = (
    "=1+1",
    "  =cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-5",
    "+86 1380",
    "'=quoted",
    "a\nb",
    'plain, with "quotes"',
    "－1",
    "",
)


def export(yard: Works, login: str, entity: str, kind: str, path: Path, **query: Any) -> Path:
    with open(path, "wb") as file:
        take(yard.runtime, yard.app, yard.who(login), entity, Query(**query), kind, file)
    return path


@pytest.fixture
def filled(yard: Works) -> Works:
    client = yard.create("max", "client", name="=HYPERLINK(1)", phone="13800138000")
    twin = yard.create("max", "client", name="=HYPERLINK(1)")
    for number, word in enumerate(WORDS):
        yard.create(
            "max", "order", client=str(twin if number == 3 else client), what=word or None, external=f"={number}", urgent=number == 1, why_urgent=word.strip() or "x",
            discount=0.1234 if number % 2 else None, margin=-5.25 * number, ordered_on="2026-02-28", owner=str(yard.ids["sun" if number == 2 else "ada"]),
        )  # fmt: skip
    return yard


def rows(yard: Works) -> list[dict[str, Any]]:
    return yard.rows("max", "order", sort=("id",), limit=100)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_comes_back_equal(filled: Works, tmp_path: Path, kind: str) -> None:
    before = rows(filled)
    path = export(filled, "max", "order", kind, tmp_path / f"o.{kind}")
    journal = filled.db.statement(sa.select(sa.func.count()).select_from(system.journal))
    written = filled.db.scalar(journal)
    report = bring(filled.runtime, filled.app, filled.who("max"), path, "order")
    assert (report.created, report.updated, report.unchanged, report.refused) == (0, 0, len(WORDS), 0)
    assert rows(filled) == before
    assert filled.db.scalar(journal) == written
    for row in before:
        filled.update("max", "order", int(row["id"]), what="changed", discount=0, margin=1, ordered_on=None)
    report = bring(filled.runtime, filled.app, filled.who("max"), path, "order")
    assert (report.created, report.updated) == (0, len(WORDS))
    kept = ("what", "margin", "ordered_on", "client", "owner", "external", "why_urgent", "urgent", "stage")
    assert [{name: row[name] for name in kept} for row in rows(filled)] == [
        {name: row[name] for name in kept} for row in before
    ]


def test_cells_cannot_become_formulas_and_numbers_stay_numbers(filled: Works, tmp_path: Path) -> None:
    text = export(filled, "max", "order", "csv", tmp_path / "o.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    for row in table:
        for header, cell in row.items():
            assert header == "毛利" or not cell.strip().startswith(("=", "+", "-", "@", "－")), (header, cell)
    assert sorted(float(row["毛利"]) for row in table)[0] == -5.25 * (len(WORDS) - 1)
    assert {row["事由"] for row in table} >= {"'=1+1", "'-5", "''=quoted"}
    export(filled, "max", "order", "xlsx", tmp_path / "o.xlsx")
    sheet = CalamineWorkbook.from_path(tmp_path / "o.xlsx").get_sheet_by_index(0).to_python()
    at = {header: position for position, header in enumerate(sheet[0])}
    assert {type(row[at["毛利"]]) for row in sheet[1:]} <= {float, int}
    assert "=1+1" in [row[at["事由"]] for row in sheet[1:]]


def test_an_export_goes_no_further_than_the_list(filled: Works, tmp_path: Path) -> None:
    table = list(
        csv.DictReader(
            io.StringIO(
                b"".join(
                    stream_csv(
                        filled.runtime,
                        filled.app,
                        filled.who("fay"),
                        "order",
                        Query(where="urgent == false"),
                        headers="names",
                    )
                ).decode("utf-8-sig")
            )
        )
    )
    seen = filled.rows("fay", "order", where="urgent == false", limit=100)
    assert [row["id"] for row in table] == [row["id"] for row in seen]
    assert 0 < len(table) < len(WORDS) - 1, "the orders of the south are not hers"
    assert set(table[0]) <= set(filled.lens("fay").fields("order"))
    for login, query, status in [("ada", Query(), 403), ("fay", Query(fields=("nonsense",)), 404)]:
        with pytest.raises(Refused) as refused:
            stream_csv(filled.runtime, filled.app, filled.who(login), "order", query)
        assert refused.value.status == status
    with pytest.raises(Refused) as refused:
        export(filled, "fay", "order", "pdf", tmp_path / "o.pdf")
    assert refused.value.status == 400


def test_pages_are_joined_without_loss_or_repetition(yard: Works, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("name,region\n" + "".join(f"C{number},{'north' if number % 3 else ''}\n" for number in range(2300)))
    assert bring(yard.runtime, yard.app, yard.who("max"), path, "client").created == 2300
    for sort in ((), ("region", "-name"), ("-region",)):
        table = list(
            csv.DictReader(
                io.StringIO(
                    b"".join(stream_csv(yard.runtime, yard.app, yard.who("max"), "client", Query(sort=sort))).decode(
                        "utf-8-sig"
                    )
                )
            )
        )
        assert len({row["名称"] for row in table}) == len(table) == 2300


def test_a_template_names_what_can_be_filled_in(yard: Works, tmp_path: Path) -> None:
    text = template(yard.runtime, yard.app, yard.who("fay"), "client").decode("utf-8-sig").strip()
    assert text.split(",") == ["名称", "电话", "联系人", "区域", "上级", "集团", "负责人"]
    (tmp_path / "t.csv").write_text(text + "\n远大,13800138000,,北区,,,Ada Stone\n", "utf-8")
    report = bring(yard.runtime, yard.app, yard.who("fay"), tmp_path / "t.csv", "client")
    assert (report.created, report.steps[0].unknown) == (1, ())
    assert yard.rows("fay", "client")[0]["region"] == "north"


def test_every_type_reads_what_its_values_are_written_as() -> None:
    export = Export.__new__(Export)
    export.principal = engine_principal("en")
    said = 0
    for kind, (settings, values) in SAMPLES.items():
        field = field_types[kind].model_validate({"type": kind, **settings})
        for value in values:
            stored = field.parse(value)
            cell = restored(neutral(export.text(_Cell("x", "X", field, "text"), stored)))
            assert reader(field, {}, "ymd", None)(cell) == stored, (kind, value, cell)
            said += 1
    assert said > 20


SAMPLES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "text": ({}, ["=1", "'x", "a, b"]), "longtext": ({}, ["two\nlines", "- list"]), "phone": ({}, ["13800138000", "+16502530000"]),
    "email": ({}, ["a@example.com"]), "url": ({}, ["https://example.com/?a=-1"]), "date": ({}, ["2026-02-28", "1931-05-06"]),
    "datetime": ({"timezone": "Asia/Shanghai"}, ["2026-02-28T01:02:03Z", "2026-02-28T01:02:03.000004Z", "1990-09-16T15:30:00Z"]),
    "duration": ({}, ["PT2H30M", "P3D", "PT0.5S"]), "boolean": ({}, [True, False]), "integer": ({}, [-5, 12345678]), "number": ({"scale": 3}, [-1.125]),
    "money": ({"currency": "CNY"}, [-1234.5]), "percent": ({}, [0.1234, -0.5]), "choice": ({"options": {"a": {"zh": "甲", "en": "A"}}}, ["a"]),
    "choices": ({"options": {"a": {"zh": "甲", "en": "A"}, "b": {"zh": "乙", "en": "B"}}}, [["a", "b"]]),
    "address": ({}, [{"province": "浙江省", "city": "杭州市", "district": "西湖区", "detail": "文三路 1 号"}, {"province": "内蒙古自治区", "city": "兴安盟", "detail": "5 号"}, {"detail": "just a line"}, {"detail": '{"city": "no"}'}]),
    "location": ({}, [{"lat": 30.25, "lng": 120.16}]), "json": ({}, [{"a": [1, "=x"]}]), "region": ({"levels": 2}, ["浙江省/杭州市"]),
    "identifier": ({"scheme": "uscc"}, ["91110000600037341L"]),
}  # fmt: skip
