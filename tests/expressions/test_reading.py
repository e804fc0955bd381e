"""What an expression reads, how it is renamed, and how it is said."""

import pytest

from engine.expressions import Dependency, Expression, check, rename
from engine.expressions.tree import Step
from engine.problems import Label
from tests.expressions.schema import CONTEXT, SCHEMA


def checked(text: str) -> Expression:
    expression, faults = check(text, "order", SCHEMA)
    assert expression is not None, faults
    return expression


def test_own_fields_and_reads_are_told_apart() -> None:
    expression = checked(
        "amount > 0 and customer.parent.name == 'x' and count(lines where late and amount > this.cost) > 1 and customer.parent.name != 'y'"
    )
    assert expression.locals == {"amount"}
    assert [read.key for read in expression.reads] == [
        "customer.parent.name",
        "count(lines where and(late, (amount > this.cost)))",
    ]
    assert expression.fields == {
        ("order", "amount"), ("order", "customer"), ("customer", "parent"), ("customer", "name"), ("order", "lines"), ("line", "late"), ("line", "amount"), ("order", "cost"),
    }  # fmt: skip


def test_reads_that_mean_the_same_have_one_key() -> None:
    one, other = checked("count(lines where amount>=1) > 2"), checked("计数（lines where amount ≥ 1.0） or 0")
    assert [read.key for read in one.reads] == [read.key for read in other.reads]


def test_keys_tell_the_record_from_the_row() -> None:
    keys = {
        checked(text).reads[0].key
        for text in (
            "count(lines where amount > 1)",
            "count(lines where this.amount > 1)",
            "count(lines where exists(order.lines where amount > 1))",
            "count(lines.amount)",
        )
    }
    assert len(keys) == 4


def test_dependencies_say_on_which_path_a_field_is_reached() -> None:
    customer = Step("order", "customer", "record", "customer")
    orders = Step("customer", "orders", "records", "order")
    assert checked("sum(customer.orders.amount where owner.name == title)").dependencies == (
        Dependency((), "order", "customer"),
        Dependency((customer,), "customer", "orders"),
        Dependency((customer, orders), "order", "deleted_at"),
        Dependency((customer, orders), "order", "amount"),
        Dependency((customer, orders), "order", "owner"),
        Dependency((customer, orders, Step("order", "owner", "record", "user")), "user", "name"),
        Dependency((customer, orders), "order", "title"),
    )
    inside = checked("count(customer.orders where amount > this.amount)").dependencies
    assert Dependency((), "order", "amount", stored=True) in inside
    assert Dependency((), "order", "amount") not in inside


@pytest.mark.parametrize(
    ("text", "volatile", "variables"),
    [
        ("due < today()", True, set()),
        ("now() > sent_at", True, set()),
        ("owner == user", True, {"user"}),
        ("amount > limit", True, {"limit"}),
        ("sent_at == due", False, set()),
        ("due + 3 workdays", False, set()),
        ("exists(lines where day > today())", True, set()),
    ],
)
def test_what_changes_by_itself_is_volatile(text: str, volatile: bool, variables: set[str]) -> None:
    expression = checked(text)
    assert (expression.volatile, expression.variables) == (volatile, variables)


def test_what_is_not_given_is_null() -> None:
    assert checked("amount + 1").evaluate({}, CONTEXT) is None
    assert checked("amount > 1 or customer.name is null").evaluate({}, CONTEXT) is True


RENAMES = {
    ("order", "amount"): "total",
    ("line", "amount"): "price",
    ("customer", "name"): "title",
    ("order", "lines"): "items",
}


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("amount > 0", "total > 0"),
        ("  amount>0  and  title=='amount'", "  total>0  and  title=='amount'"),
        ("sum( lines.amount  where amount > this.amount )", "sum( items.price  where price > this.total )"),
        ("customer.name & title", "customer.title & title"),
        ("（amount＋１）＞ amount", "（total＋１）＞ total"),
        ("amount > unknown_field and lines", "total > unknown_field and items"),
        (
            "exists(customer.orders where exists(lines where amount > 1))",
            "exists(customer.orders where exists(items where price > 1))",
        ),
        ("((amount", "((amount"),
        ("count(lines) > amount > count(lines)", "count(items) > total > count(items)"),
    ],
)
def test_a_rename_changes_the_names_that_mean_the_field_and_nothing_else(text: str, renamed: str) -> None:
    assert rename(text, RENAMES, "order", SCHEMA) == renamed


LABELS = {"amount": Label("金额", "Amount"), "lines": Label("明细", "Lines"), "late": Label("逾期", "Late"), "customer": Label("客户", "Customer"), "name": Label("名称", "Name"),
          "state": Label("状态", "State"), "due": Label("到期日", "Due"), "paid": Label("已付", "Paid"), "rate": Label("折扣", "Discount"), "tags": Label("标签", "Tags")}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("amount > 0", "「金额」大于 0", '"Amount" is greater than 0'),
        ("not amount > 0.50", "「金额」不大于 0.5", '"Amount" is at most 0.5'),
        ("amount is null", "「金额」为空", '"Amount" is empty'),
        ("filled(amount) and paid", "「金额」已填且「已付」为是", '"Amount" is filled and "Paid" is yes'),
        ("not (paid or amount > 1)", "「已付」不为是且「金额」不大于 1", '"Paid" is not yes and "Amount" is at most 1'),
        (
            "count(lines where late) >= 2",
            "「明细」(其中「逾期」为是)数不小于 2",
            'the number of "Lines" where "Late" is yes is at least 2',
        ),
        ("customer.name == 'x'", "「客户」的「名称」为 「x」", '"Name" of "Customer" is "x"'),
        ("state in ['draft', 'paid']", "「状态」为 「草稿」 或 「draft/paid」", '"State" is "Draft" or "draft/paid"'),
        ("due < today() + 3 d", "「到期日」小于 今天 + 3 天", '"Due" is less than today + 3 days'),
        ("rate > 15%", "「折扣」大于 15%", '"Discount" is greater than 15%'),
        ("'red' in tags", "「标签」含有 「draft/red」", '"Tags" contains "draft/red"'),
        (
            "due > date('2026-03-01') + 2 workdays",
            "「到期日」大于 加工作日(2026-03-01, 2)",
            '"Due" is greater than add_workdays(2026-03-01, 2)',
        ),
        ("all(lines.late)", "每条「明细」都满足:「逾期」为是", 'for each of "Lines", "Late" is yes'),
    ],
)
def test_an_expression_can_be_said(text: str, zh: str, en: str) -> None:
    def option(entity: str, name: str, key: str) -> Label:
        return Label("草稿", "Draft") if key == "draft" else Label.of(f"draft/{key}")

    expression = checked(text)
    assert expression.words("zh", lambda entity, name: LABELS[name], option) == zh
    assert expression.words("en", lambda entity, name: LABELS[name], option) == en
