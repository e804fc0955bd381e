"""Rows of a table become records as if they had been typed; a second import finds them again; what is refused comes back."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
import xlsxwriter
from python_calamine import CalamineWorkbook

from engine.access.principal import engine_principal
from engine.definition.parse import parse
from engine.exchange import bring, mapping_of, mapping_schema, open_table, read_mapping
from engine.exchange.bring import TOGETHER, Report
from engine.exchange.mapping import load_mapping
from engine.exchange.neutral import neutral, restored
from engine.problems import Refused
from tests.runtime.conftest import Works

DATA = Path(__file__).parent / "data"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def run(yard: Works, path: Path, what: Any, login: str = "max", **more: Any) -> Report:
    return bring(yard.runtime, yard.app, yard.who(login), path, what, **more)


def codes(report: Report) -> list[list[str]]:
    return [[problem.code for problem in problems] for step in report.steps for _, problems in step.problems]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("gbk", ","), ("gb18030", "\t"), ("utf-16", ",")]
)
def test_tables_are_read_in_the_encodings_and_with_the_separators_that_people_have(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = write(
        tmp_path / "t.csv", f'\n名称{delimiter}电话\n"远大{delimiter}机械"{delimiter}1\n\n杭州{delimiter}2\n', encoding
    )
    table = open_table(path)
    assert table.headers == ("名称", "电话")
    assert [line.cells for line in table.lines()] == [(f"远大{delimiter}机械", "1"), ("杭州", "2")]


def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path) -> None:
    found = []
    for name, content in [
        ("a.csv", b""),
        ("b.csv", b"\xff\xff\xff,\x80"),
        ("c.xlsx", b"PK\x03\x04broken"),
        ("d.csv", b"a,b,a\n1,2,3"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Refused) as refused:
            open_table(tmp_path / name)
        found.append(refused.value.problems[0].code)
    assert found == ["import-empty", "import-encoding", "import-format", "import-header-twice"]


def test_a_mapping_takes_over_an_older_system_and_a_second_run_changes_nothing(yard: Works, tmp_path: Path) -> None:
    mapping = load_mapping(DATA / "takeover.yaml")
    first = run(yard, DATA / "orders.csv", mapping, refused=tmp_path / "left.csv")
    clients, orders = first.steps
    assert (clients.created, clients.updated, clients.made) == (2, 2, {"client": 2})
    assert (orders.created, orders.refused) == (4, 2)
    assert codes(first) == [["required-missing"], ["date-unreadable", "datetime-unreadable"]]
    rows = {row["external"]: row for row in yard.rows("max", "order", expand=("client", "owner"))}
    assert rows["1C1I7A6R"]["client"]["title"] == "Cancity"
    assert (rows["1C1I7A6R"]["stage"], rows["EC4QE1BX"]["stage"], rows["ZNBS69V1"]["stage"]) == (
        "done",
        "refused",
        "received",
    )
    assert rows["1C1I7A6R"]["created_at"].startswith("2025-10-19T16:00")
    assert rows["1C1I7A6R"]["ordered_on"] == "2025-10-20"
    assert rows["EC4QE1BX"]["owner"]["title"] == "Max Hill", "an unknown agent's orders go to whoever imports"
    assert rows["EC4QE1BX"]["what"] == "=1+1"
    parents = {row["name"]: row for row in yard.rows("max", "client", expand=("parent",))}
    assert parents["Cancity"]["parent"]["title"] == "Zumgoity"
    assert parents["Zumgoity"]["region"] == "north"
    assert parents["Acme Corporation"]["region"] == "north"
    history = yard.history("max", "order", int(rows["1C1I7A6R"]["id"]))
    assert history[-1]["cause"] == "import:orders.csv"
    again = run(yard, DATA / "orders.csv", mapping)
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 8, 2)
    with open(tmp_path / "left-2.csv", encoding="utf-8-sig", newline="") as file:
        left = list(csv.reader(file))
    assert left[0][-2:] == ["未导入原因", "Why it was not imported"]
    assert left[1][0] == "MV1LWRNH"
    assert "必填" in left[1][-2]
    assert "required" in left[1][-1]


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii", "utf-16", "cp1252"])
def test_refused_rows_are_told_in_whatever_encoding_they_came(yard: Works, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes("name,phone\n\0,12\nMill,13800138000\n".encode(encoding))
    first = run(yard, path, "client", encoding=encoding, refused=tmp_path / "left.csv")
    assert (first.created, first.refused) == (1, 1)
    second = run(yard, tmp_path / "left.csv", "client")
    assert (second.created, second.refused, second.steps[0].unknown) == (0, 1, ())


def test_refused_rows_can_be_mended_and_imported_again(yard: Works, tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "名称,电话\n远大,12\n=SUM(1),13800138000\n,\n第三,13900139000\n", "gbk")
    first = run(yard, path, "client", refused=tmp_path / "left.csv")
    assert (first.created, codes(first)) == (2, [["phone-invalid"]])
    left = (tmp_path / "left.csv").read_bytes().decode("gb18030")
    (tmp_path / "left.csv").write_bytes(left.replace(",12,", ",13500135000,").encode("gb18030"))
    second = run(yard, tmp_path / "left.csv", "client")
    assert (second.created, second.refused, second.steps[0].unknown) == (1, 0, ())
    assert {row["name"] for row in yard.rows("max", "client")} == {"远大", "=SUM(1)", "第三"}


def test_likely_duplicates_are_flagged_or_left_out_as_the_mapping_says(yard: Works, tmp_path: Path) -> None:
    yard.create("max", "client", name="Acme", phone="13800138000")
    path = write(tmp_path / "c.csv", "Name,Phone\nAcme,13800138000\nBolt,13900139000\nBolt,13900139000\n")
    columns = {"Name": "name", "Phone": "phone"}
    told = run(yard, path, mapping_of({"entity": "client", "columns": columns}), dry_run=True)
    assert (told.created, told.flagged, [line for line, _ in told.steps[0].warnings]) == (3, 2, [2, 4])
    assert [(each.line, each.what, each.values["name"]) for each in told.steps[0].samples] == [
        (2, "created", "Acme"),
        (3, "created", "Bolt"),
        (4, "created", "Bolt"),
    ]
    report = run(yard, path, mapping_of({"entity": "client", "columns": columns, "duplicates": "refuse"}))
    assert (report.created, codes(report)) == (1, [["duplicate-found"], ["duplicate-found"]])
    assert sorted(row["name"] for row in yard.rows("max", "client")) == ["Acme", "Bolt"]


def test_a_rehearsal_says_the_same_and_leaves_nothing(yard: Works, tmp_path: Path) -> None:
    mapping = load_mapping(DATA / "takeover.yaml")
    rehearsed = run(yard, DATA / "orders.csv", mapping, dry_run=True, refused=tmp_path / "left.csv")
    assert (rehearsed.created, rehearsed.updated, rehearsed.refused) == (6, 2, 2)
    assert yard.rows("max", "client") == yard.rows("max", "order") == []
    assert (tmp_path / "left-2.csv").exists()


def test_a_stage_in_the_file_is_no_way_around_the_gates(yard: Works, tmp_path: Path) -> None:
    yard.create("max", "client", name="Acme")
    path = write(tmp_path / "o.csv", "External no.,Client,Stage\nA1,Acme,Done\nA2,Acme,接单\n")
    report = run(yard, path, "order", "fay")
    assert (report.created, codes(report)) == (1, [["takeover-refused"]])
    path = write(tmp_path / "o.csv", "External no.,Client,Stage\nA2,Acme,Working\n")
    report = run(yard, path, "order", "fay")
    assert codes(report) == [["gate-blocked", "gate-missing", "gate-missing"]]
    assert [row["stage"] for row in yard.rows("fay", "order")] == ["received"]


def test_importing_needs_the_right_to_and_reaches_no_further_than_the_person(yard: Works, tmp_path: Path) -> None:
    yard.create("max", "client", name="Acme")
    secret = yard.create("sun", "order", client=str(yard.rows("max", "client")[0]["id"]), external="S1")
    path = write(
        tmp_path / "o.csv",
        "External no.,Client,Margin,Owner\nS1,Acme,5,Sun Field\nB2,Acme,,Sun Field\nB3,Acme,,Ada Stone\n",
    )
    with pytest.raises(Refused) as refused:
        run(yard, path, "order", "ada")
    assert refused.value.status == 403
    report = run(yard, path, "order", "fay")
    assert codes(report) == [["not-unique"], ["rows-refused"]]
    assert report.created == 1
    assert (yard.get("sun", "order", secret) or {})["version"] == 1


def test_names_that_several_records_have_are_not_guessed(yard: Works, tmp_path: Path) -> None:
    one = yard.create("max", "client", name="Twin")
    yard.create("max", "client", name="Twin")
    yard.create("max", "order", client=str(one), external="A1")
    path = write(
        tmp_path / "o.csv", "External no.,Client,What\nA1,Twin,same client as before\nA2,Twin,which\nA3,Nobody,none\n"
    )
    report = run(yard, path, "order")
    assert (report.updated, codes(report)) == (1, [["import-target-ambiguous"], ["import-target-missing"]])


def test_a_key_twice_in_one_file_makes_one_record(yard: Works, tmp_path: Path) -> None:
    yard.create("max", "client", name="Acme")
    path = write(
        tmp_path / "o.csv", "External no.,Client,What\nA1,Acme,first\nA1,Acme,second\nA2,Acme,\n,Acme,no key\n"
    )
    report = run(yard, path, "order")
    assert (report.created, report.updated, codes(report)) == (2, 1, [["import-key-empty"]])
    assert {row["what"] for row in yard.rows("max", "order")} == {"second", None}


def test_columns_that_fit_nothing_are_reported(yard: Works, tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "Name,Colour,Ordered,Telephone number\nAcme,red,5,1\n")
    report = run(yard, path, "client")
    assert (report.steps[0].unknown, report.steps[0].ignored, report.created) == (
        ("Colour", "Telephone number"),
        ("Ordered",),
        1,
    )
    with pytest.raises(Refused) as refused:
        run(yard, write(tmp_path / "d.csv", "Colour\nred\n"), "client")
    assert refused.value.problems[0].code == "import-nothing"


def test_a_mapping_that_does_not_fit_is_refused_before_anything_happens(yard: Works) -> None:
    broken = {
        "entity": "order",
        "key": ["external"],
        "columns": {
            "order_id": "external",
            "agnt": "owner",
            "client": "clint",
            "begun": {"field": "what", "lookup": {}},
            "amount": "total",
        },
    }
    with pytest.raises(Refused) as refused:
        run(yard, DATA / "orders.csv", mapping_of(broken))
    assert [problem.code for problem in refused.value.problems] == [
        "import-column-missing",
        "import-field-unknown",
        "import-lookup-unfit",
        "import-field-unknown",
    ]
    for text, code in [
        ("entity: order\ncolums: {}", "import-mapping-key"),
        ("key: [a", "yaml-syntax"),
        ("columns: {}", "import-mapping-shape"),
    ]:
        with pytest.raises(Refused) as refused:
            read_mapping("m.yaml", text)
        assert refused.value.problems[0].code == code


def test_the_schema_of_mappings_accepts_what_is_accepted() -> None:
    schema = jsonschema.Draft202012Validator(mapping_schema())
    text = (DATA / "takeover.yaml").read_text("utf-8")
    root = parse("takeover.yaml", text).root
    assert root is not None
    schema.validate(root.data)
    assert not schema.is_valid({"steps": [{"entity": "order", "colums": {}}]})
    assert not schema.is_valid({"entity": "order", "columns": {"A": {"fild": "x"}}})


def test_people_and_their_teams_come_from_a_table_when_an_administrator_says_so(yard: Works, tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.csv",
        "agent,boss,office\nAnna Snelling,Dustin Brink,Central\nAda Stone,Dustin Brink,Central\nKami Bick,Summer Sewald,West\n",
    )
    mapping = mapping_of(
        {
            "people": {
                "name": "agent",
                "leader": "boss",
                "team": ["office", "boss"],
                "roles": ["fitter"],
                "leader_roles": ["foreman"],
            }
        }
    )
    with pytest.raises(Refused) as refused:
        run(yard, path, mapping, "fay", people=yard.people)
    assert refused.value.status == 403
    assert run(yard, path, mapping, people=yard.people, dry_run=True).created == 4
    report = run(yard, path, mapping, people=yard.people)
    assert (report.created, report.unchanged, report.steps[0].made) == (4, 1, {"team": 4})
    user = yard.people.find_user("anna.snelling")
    assert user is not None
    boss = yard.people.find_user("dustin.brink")
    principal = yard.people.principal(boss or 0, "works", yard.app.policies)
    assert principal is not None
    assert len(principal.teams_below) == 1
    assert "foreman" in principal.roles
    assert run(yard, path, mapping, people=yard.people).created == 0


def test_a_spreadsheet_says_what_its_cells_are(yard: Works, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "o.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["External no.", "Client", "Discount", "Urgent", "Why urgent", "Ordered on"])
    sheet.write_row(1, 0, [1001, "Acme", 0.125, True, 7])
    sheet.write_datetime(1, 5, date(2026, 1, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
    sheet.write_row(2, 0, ["B2", "Acme", 0.9, False])
    book.close()
    yard.create("max", "client", name="Acme")
    report = run(yard, tmp_path / "o.xlsx", "order", refused=tmp_path / "left.xlsx")
    assert (report.created, codes(report)) == (1, [["rule-broken"]])
    row = yard.rows("max", "order")[0]
    assert (row["external"], row["discount"], row["urgent"], row["why_urgent"], row["ordered_on"]) == (
        "1001",
        0.125,
        True,
        "7",
        "2026-01-31",
    )
    left = CalamineWorkbook.from_path(tmp_path / "left.xlsx").get_sheet_by_index(0).to_python()
    assert left[1][:4] == ["B2", "Acme", 0.9, False]
    assert "折扣不能超过一半" in left[1][-2]


def test_harmless_cells_mean_what_they_were() -> None:
    for text in (
        "=1+1",
        "  =1",
        "@x",
        "-5",
        "+8613800138000",
        "\t=1",
        "'=1",
        "''=1",
        "'quoted",
        "plain",
        "",
        "＝1",
        "a=b",
    ):
        assert restored(neutral(text)) == text
        assert not neutral(text).lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_progress_is_told_and_the_report_can_be_read(yard: Works, tmp_path: Path) -> None:
    lines = "".join(f"Client {number}\n" for number in range(1200))
    seen: list[tuple[int, int | None]] = []
    record: Callable[[int, int | None], None] = lambda done, total: seen.append((done, total))  # noqa: E731
    report = run(yard, write(tmp_path / "c.csv", "name\n" + lines), "client", progress=record)
    assert report.created == 1200
    assert seen == [(TOGETHER, 1200), (1200, 1200)]
    assert "新建 1200" in report.lines("zh")[0]
    assert "1200 created" in report.lines("en")[0]
    assert report.as_json("en")["steps"][0]["created"] == 1200


def test_an_import_in_nobodys_name_says_how_to_mend_what_it_leaves_empty(yard: Works, tmp_path: Path) -> None:
    file = write(tmp_path / "e.csv", "firm\nAcme\n")
    nobody = bring(yard.runtime, yard.app, engine_principal("en"), file, "enquiry", refused=tmp_path / "refused.csv")
    assert (nobody.created, codes(nobody)) == (0, [["import-person-missing"]])
    assert "--as" in (tmp_path / "refused.csv").read_text("utf-8-sig")
    given = read_mapping("m.yaml", "entity: enquiry\ncolumns: {firm: firm}\ndefaults: {owner: Ada Stone}\n")
    assert bring(yard.runtime, yard.app, engine_principal("en"), file, given).created == 1
    assert run(yard, file, "enquiry", login="max").created == 1
    by = yard.app.entities["enquiry"].table.c.owner
    owners = yard.db.all(yard.db.statement(sa.select(by).order_by(sa.literal_column("id"))))
    assert [row[0] for row in owners] == [yard.ids["ada"], yard.ids["max"]]
