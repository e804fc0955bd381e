"""What expressions mean: the same in Python, on SQLite and on PostgreSQL."""

from typing import Any

import pytest
import sqlalchemy as sa

from engine.expressions import Type, check, read_sql
from engine.expressions.types import ANY_NUMBER, DATE, TEXT
from tests.expressions.databases import Database
from tests.expressions.schema import CONTEXT, MONEY, NOW, SCHEMA, TABLES, Given, Stored, day, files

MIDNIGHT = 1_772_380_800_000_000  # 2026-03-02 00:00 in Shanghai


def values(text: str, row: dict[str, Any], databases: list[Database], expect: Type | None = None) -> list[Any]:
    """The value in Python and on each database, the row given as parameters."""
    expression, faults = check(text, "order", SCHEMA, expect=expect)
    assert expression is not None, faults
    given = {"id": 1, **row}
    found = [expression.evaluate(given, CONTEXT)]
    for database in databases:
        value = database.value(expression.to_sql(Given("order", given)), None, CONTEXT)
        found.append(bool(value) if expression.type.kind == "boolean" and value is not None else value)
    return found


@pytest.mark.parametrize(
    ("text", "row", "expect", "value"),
    [
        # P30: 392.25 x 2 x 15% is 117.675, and money has two digits.
        ("amount * quantity * 15%", {"amount": 39225, "quantity": 2}, MONEY, 11768),
        ("amount * quantity * 15%", {"amount": -39225, "quantity": 2}, MONEY, -11768),
        ("0.1 + 0.2 == 0.3", {}, None, True),
        ("amount / 3", {"amount": 100}, None, 33_333_333),
        ("amount / 3", {"amount": 100}, MONEY, 33),
        ("amount / 0", {"amount": 100}, None, None),
        ("-7 % 3", {}, None, 2),
        ("quantity % -3", {"quantity": 7}, None, -2),
        ("round(2.5)", {}, None, 3),
        ("round(weight / 2, 1)", {"weight": -2500}, None, -13),
        ("round(amount, -18)", {"amount": 2**63 - 1}, None, 0),
        ("amount / power(weight, 3)", {"amount": 10, "weight": 10}, None, 10**15),
        ("quantity + 1", {"quantity": 2**63 - 1}, None, None),
        ("quantity + 1 - 1", {"quantity": 2**63 - 1}, None, None),
        ("quantity * quantity", {"quantity": 2**62}, None, None),
        ("-quantity", {"quantity": -(2**63)}, None, None),
        ("abs(quantity)", {"quantity": -(2**63)}, None, None),
        ("quantity + 1 > 0", {"quantity": 2**63 - 1}, None, False),
        ("amount / weight", {"amount": 100, "weight": 2000}, None, 500_000_000),
        ("rate * amount", {"rate": 1500, "amount": 39225}, MONEY, 5884),
        # Null.
        ("amount + 1", {}, None, None),
        ("amount > 0", {}, None, False),
        ("not amount > 0", {}, None, True),
        ("amount == null", {}, None, True),
        ("amount == cost", {}, None, True),
        ("amount != cost", {"amount": 1}, None, True),
        ("amount = 1", {}, None, False),
        ("amount <> 1", {}, None, True),
        ("paid or not paid", {}, None, True),
        ("paid == false", {}, None, False),
        ("amount or 5", {}, None, 500),
        ("amount in [1, null]", {}, None, True),
        ("amount not in [1, 2]", {}, None, True),
        ("title == ''", {}, None, True),
        ("due == ''", {}, None, True),
        ("trim('  ')", {}, None, None),
        ("sum(amount, quantity, null)", {"quantity": 2}, None, 200),
        ("min(amount, 50000)", {}, None, None),
        # Texts: by code point, with case, without patterns.
        ("title < 'a'", {"title": "Z"}, None, True),
        ("title > '\U0000ffee'", {"title": "\U00020bb7"}, None, True),
        ("contains(title, '%')", {"title": "abc"}, None, False),
        ("contains(title, 'A')", {"title": "abc"}, None, False),
        ("len(title)", {"title": "\U00020bb7野家"}, None, 3),
        ("title & '-' & amount", {"title": "北京", "amount": 1250}, None, "北京-12.50"),
        ("title + note", {"title": "a"}, None, None),
        # Days and instants, in the calendar's time zone.
        ("sent_at == due", {"sent_at": MIDNIGHT, "due": day("2026-03-02")}, None, True),
        ("sent_at == due", {"sent_at": MIDNIGHT - 1, "due": day("2026-03-02")}, None, False),
        ("sent_at", {"sent_at": MIDNIGHT - 1}, DATE, day("2026-03-01")),
        ("today()", {}, None, day("2026-03-02")),
        ("now() - sent_at > 12 h", {"sent_at": MIDNIGHT}, None, True),
        ("due + 36 h", {"due": day("2026-03-02")}, None, day("2026-03-03")),
        ("due - today()", {"due": day("2026-03-04")}, None, 2 * 86_400_000_000),
        ("due < '2026-03-02'", {"due": day("2026-03-01")}, None, True),
        ("effort * 1.5", {"effort": 3}, None, 5),
        ("effort / 2 h", {"effort": 3_600_000_000}, None, 500_000),
        ("sent_at + 2 workdays", {"sent_at": NOW}, None, NOW + 2 * 86_400_000_000),
        ("due + 1 workdays", {"due": day("2026-06-30")}, None, day("2026-07-02")),
        ("due + 1 workdays", {"due": day("2026-07-03")}, None, day("2026-07-04")),
        ("due + 1 workdays", {"due": day("2026-07-05")}, None, day("2026-07-06")),
        ("due - 1 workdays", {"due": day("2026-07-05")}, None, day("2026-07-04")),
        ("workdays_between(due, date('2026-07-06'))", {"due": day("2026-06-29")}, None, 5),
        ("due + (1 workdays if paid else 2 workdays)", {"due": day("2026-07-03"), "paid": False}, None, day("2026-07-06")),
        ("due + 2 * 1 workdays", {"due": day("2026-07-03")}, None, day("2026-07-06")),
        ("sent_at + 9 workhours", {"sent_at": NOW}, None, NOW + 86_400_000_000),
        ("is_workday(due)", {"due": day("2026-07-04")}, None, True),
        ("add_months(due, 1)", {"due": day("2024-01-31")}, None, day("2024-02-29")),
        ("due + 9999999 d", {"due": 0}, None, None),
        # Sets and files.
        ("count(photos) + count(tags)", {"photos": files("a", "b"), "tags": "|red|blue|"}, None, 4),
        ("has(tags, 'blue') and 'red' in tags", {"tags": "|red|blue|"}, None, True),
        ("count(photos)", {}, None, 0),
        # As people type it.
        ("（amount＋１）≥２ and title＝“北京”", {"amount": 100, "title": "北京"}, None, True),
        ("=若（amount＞0，'是'，'否'）", {"amount": 100}, None, "是"),
        ("1 ≤ quantity ≤ 3", {"quantity": 3}, None, True),
        ("amount×2÷4", {"amount": 100}, MONEY, 50),
        ("90 分钟 == 1.5 小时", {}, None, True),
        ("due + 2 个工作日", {"due": day("2026-03-02")}, None, day("2026-03-04")),
        ("且（paid，非（amount＞0））", {"paid": True}, None, True),
        ("title is null or title in ['x']", {}, None, True),
        ("amount > 0 AND NOT paid OR title IN ['x']", {"amount": 1}, None, True),
        ("amount > 0 且 （paid 或 quantity = 2）", {"amount": 1, "quantity": 2}, None, True),
        ("OR(paid, AND(amount > 0, quantity = 2))", {"amount": 1, "quantity": 2}, None, True),
        ("1 IF paid ELSE 2", {}, None, 2),
    ],
)  # fmt: skip
def test_a_value_is_the_same_everywhere(
    text: str, row: dict[str, Any], expect: Type | None, value: Any, databases: list[Database]
) -> None:
    assert values(text, row, databases, expect) == [value, value, value]


def test_a_number_keeps_its_scale_unless_another_is_expected() -> None:
    def scale(expect: Type | None, result_scale: int | None = None) -> int:
        expression, _ = check("amount * rate", "order", SCHEMA, expect=expect, result_scale=result_scale)
        assert expression is not None
        return expression.type.scale

    assert [scale(None), scale(ANY_NUMBER), scale(MONEY), scale(ANY_NUMBER, 3), scale(None, 0)] == [6, 6, 2, 3, 0]


def test_a_choice_is_a_text_where_one_is_expected() -> None:
    expression, faults = check("state", "order", SCHEMA, expect=TEXT)
    assert (expression is not None, faults) == (True, [])


def nested(template: str) -> str:
    """The deepest expression of that form that is still allowed."""
    text = "amount"
    while True:
        deeper = template.format(text)
        if check(deeper, "order", SCHEMA)[0] is None:
            return text
        text = deeper


FORMS = ["abs({})", "coalesce({}, 1)", "IF(paid, {}, 1)", "({} + 1) * 2", "1 + ({})", "round({} / 3, 2)", "max({}, 1)", "({} or 1) % 7", "clamp({}, 0, 5)",
         "IF({} is null, 2, amount)", "SWITCH({}, 1, 2, 3)", "number(not {} > 1)", "len(concat('a', {}))", "day(today() + hours_between(now(), now()) * 1 h + {} * 1 d)"]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_deepest_expression_still_runs_on_both_databases(form: str, databases: list[Database]) -> None:
    text = nested(form)
    assert text.count(form.partition("{}")[0]) > 5
    found = values(text, {"amount": 12345, "paid": True}, databases)
    assert found[1:] == [found[0]] * 2


@pytest.mark.parametrize("joint", [" + ", " * ", " & ", " and 3 > ", ", "])
def test_the_longest_expression_still_runs_on_both_databases(joint: str, databases: list[Database]) -> None:
    text = joint.join(["quantity"] * (80 if joint in (" and 3 > ", ", ") else 40))
    text = f"3 > {text}" if "and" in joint else text
    found = values(f"sum({text})" if joint == ", " else text, {"quantity": 1}, databases)
    assert found[1:] == [found[0]] * 2


ORDERS = [
    {"id": 1, "amount": 100, "customer": 1, "state": "paid", "owner": 7},
    {"id": 2, "amount": 250, "customer": 1, "owner": 8},
    {"id": 3, "customer": 2},
]
LINES = [
    {"id": 1, "order": 1, "amount": 5, "late": True, "label": "b", "quantity": 2**62},
    {"id": 2, "order": 1, "amount": 6, "label": "Z", "quantity": 2**62},
    {"id": 3, "order": 1, "amount": None, "late": False, "quantity": 1},
    {"id": 4, "order": 2, "amount": -3, "late": True, "label": "a", "quantity": 2**63 - 1},
    {"id": 5, "order": 2, "quantity": -1, "product": 9},
]
CUSTOMERS = [{"id": 1, "name": "one", "parent": 2}, {"id": 2, "name": "two"}]


@pytest.fixture
def filled(databases: list[Database]) -> list[Database]:
    for database in databases:
        for entity, rows in {
            "order": ORDERS,
            "line": LINES,
            "customer": CUSTOMERS,
            "user": [{"id": 7, "team": 3}, {"id": 8, "team": 2}],
        }.items():
            database.run(sa.delete(TABLES[entity]))
            database.insert(TABLES[entity], rows)  # type: ignore[arg-type]
    return databases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(lines)", [3, 2, 0]),
        ("count(lines.amount)", [2, 1, 0]),
        ("count(lines where late)", [1, 1, 0]),
        ("sum(lines.amount)", [11, -3, 0]),
        ("sum(lines.quantity)", [None, 2**63 - 2, 0]),
        ("avg(lines.amount)", [5_500_000, -3_000_000, None]),
        ("min(lines.label)", ["Z", "a", None]),
        ("max(lines.amount where amount < 0.06)", [5, -3, None]),
        ("exists(lines where product is not null)", [False, True, False]),
        ("any(lines.late)", [True, True, False]),
        ("all(lines.late)", [False, False, True]),
        ("all(lines where amount > 0)", [False, False, True]),
        ("sum(customer.orders.amount)", [350, 350, 0]),
        ("sum(customer.orders.amount where amount > this.amount)", [250, 0, 0]),
        ("count(customer.orders.lines where late)", [2, 2, 0]),
        ("count(customer.orders where count(lines where late) > 0)", [2, 2, 0]),
        ("exists(customer.orders where exists(lines where amount > this.amount))", [False, False, False]),
        ("customer.parent.name", ["two", "two", None]),
        ("customer.name & '/' & (customer.parent.name or '-')", ["one/two", "one/two", "two/-"]),
        ("owner == user", [True, False, False]),
        ("owner.team in user.teams_below", [True, False, False]),
        ("user in customer.orders.owner", [True, True, False]),
        ("customer.parent is null", [False, False, True]),
    ],
)
def test_related_records_are_followed_and_counted(text: str, expected: list[Any], filled: list[Database]) -> None:
    expression, faults = check(text, "order", SCHEMA)
    assert expression is not None, faults
    alias = TABLES["order"].alias()
    for database in filled:
        columns = [
            expression.to_sql(Stored(), alias),
            *(read_sql(read, Stored(), alias).label(f"r{at}") for at, read in enumerate(expression.reads)),
        ]
        found = database.run(sa.select(*columns).select_from(alias).order_by(alias.c.id), CONTEXT)
        assert [row[0] for row in found] == expected
        # With what was read in one statement, Python comes to the same.
        reads = [dict(zip((read.key for read in expression.reads), row[1:], strict=True)) for row in found]
        assert [expression.evaluate(row | read, CONTEXT) for row, read in zip(ORDERS, reads, strict=True)] == expected


def test_records_that_the_reader_may_not_see_are_not_counted_and_not_followed(filled: list[Database]) -> None:
    hidden = Stored(hidden=(("line", 1), ("customer", 2)))
    alias = TABLES["order"].alias()
    for text, expected in (
        ("count(lines)", [2, 2, 0]),
        ("customer.parent.name", [None, None, None]),
        ("sum(lines.amount)", [6, -3, 0]),
    ):
        expression, _ = check(text, "order", SCHEMA)
        assert expression is not None
        for database in filled:
            found = database.run(
                sa.select(expression.to_sql(hidden, alias)).select_from(alias).order_by(alias.c.id), CONTEXT
            )
            assert [row[0] for row in found] == expected


def test_a_condition_picks_the_rows_for_which_it_is_true(filled: list[Database]) -> None:
    alias = TABLES["order"].alias()
    for text, ids in (
        ("amount > 1", [2]), ("not amount > 1", [1, 3]), ("amount > 1 or state == 'paid'", [1, 2]), ("state != 'paid'", [2, 3]), ("true", [1, 2, 3]), ("false", []),
        ("paid", []), ("not paid", [1, 2, 3]), ("state == stage", [2, 3]), ("customer.parent.name == 'two' and count(lines) > 2", [1]),
    ):  # fmt: skip
        expression, _ = check(text, "order", SCHEMA)
        assert expression is not None
        for database in filled:
            found = database.run(
                sa.select(alias.c.id).select_from(alias).where(expression.clause(Stored(), alias)).order_by(alias.c.id),
                CONTEXT,
            )
            assert [row[0] for row in found] == ids, text


def test_conditions_stay_bare_so_that_indexes_serve_them(databases: list[Database]) -> None:
    table = TABLES["order"]
    expression, _ = check(
        "owner == user and amount > 100 and due < today() and state in ['paid', 'sent']", "order", SCHEMA
    )
    assert expression is not None
    for database in databases:
        clause = str(expression.clause(Stored(), table).compile(dialect=database.dialect))
        assert "coalesce" not in clause
        assert "IS NOT DISTINCT" not in clause
    sqlite = databases[0]
    sqlite.connection.execute("CREATE INDEX by_owner ON t_order (owner, amount)")
    query = sa.select(table.c.id).where(expression.clause(Stored(), table)).compile(dialect=sqlite.dialect)
    plan = sqlite.connection.execute(f"EXPLAIN QUERY PLAN {query}", query.params).fetchall()
    sqlite.connection.execute("DROP INDEX by_owner")
    assert "by_owner (owner=? AND amount>?)" in plan[0][3]
