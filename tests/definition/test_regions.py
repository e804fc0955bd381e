"""What is proven of a predicate holds for every record there can be."""

from itertools import product
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.definition import Checked, load
from engine.definition.facts import Facts
from engine.definition.formulas import Resolver
from engine.definition.regions import Region
from engine.expressions import Expression, check
from engine.expressions.types import Context

TEXT = """\
app: demo
version: 1.0.0
label: demo
entities:
  box:
    fields:
      size: {type: integer, min: 0, max: 4}
      width: {type: number, scale: 1, min: 0, max: 1, required: true}
      kind: {type: choice, options: {a: A, b: B}}
      open: boolean
"""
# Every record there can be, as stored values.
RECORDS: list[dict[str, Any]] = [
    {"size": size, "width": width, "kind": kind, "open": opened}
    for size, width, kind, opened in product([None, 0, 1, 2, 3, 4], range(11), [None, "a", "b"], [None, True, False])
]
NOTHING = Context(0, None, {})  # type: ignore[arg-type]


def made() -> tuple[Checked, Facts]:
    checked = load({"x.yaml": TEXT})
    assert checked.definition is not None
    resolver = Resolver(checked.source, checked.definition)
    resolver.run()
    return checked, Facts(checked.source, checked.definition, resolver)


CHECKED, FACTS = made()

_number = st.one_of(
    st.just("size"),
    st.just("width"),
    st.integers(-1, 5).map(lambda n: f"({n})"),
    st.sampled_from(["0.5", "1.5"]),
    st.sampled_from(
        [
            "coalesce(size, 2)",
            "min(size, 3)",
            "max(width, 0.4)",
            "size + 1",
            "size - 2",
            "-size",
            "size * 2",
            "(1 if open else 3)",
            "abs(size - 2)",
        ]
    ),
)
_leaf = st.one_of(
    st.tuples(_number, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _number).map(" ".join),
    st.sampled_from(
        [
            "kind == 'a'",
            "kind != 'b'",
            "kind in ['a']",
            "kind not in ['a', 'b']",
            "open",
            "not open",
            "size is null",
            "size is not null",
            "kind is null",
            "open == false",
        ]
    ),
)
_predicate = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda part: f"not ({part})"),
    ),
    max_leaves=5,
)


def expression(text: str) -> Expression | None:
    return check(text, "box", FACTS.scope)[0]


@given(st.lists(_predicate, min_size=1, max_size=3), st.booleans())
@settings(max_examples=150)
def test_what_is_called_impossible_no_record_meets_and_an_example_meets_all(texts: list[str], truth: bool) -> None:
    found = [each for text in texts if (each := expression(text)) is not None]
    if not found:
        return
    met = [record for record in RECORDS if all(bool(each.evaluate(record, NOTHING)) is truth for each in found)]
    region = Region([(each.tree, truth) for each in found], FACTS.domain)
    if region.impossible:
        assert met == []
    example = region.example()
    if example is not None:
        assert all(bool(each.evaluate(example, NOTHING)) is truth for each in found)


@given(st.lists(_leaf, min_size=1, max_size=3))
@settings(max_examples=80)
def test_an_example_is_found_where_there_is_one(texts: list[str]) -> None:
    found = [each for text in texts if (each := expression(text)) is not None]
    met = [record for record in RECORDS if all(each.evaluate(record, NOTHING) for each in found)]
    if found and met and len({name for each in found for name in each.locals}) == 1:
        assert Region([(each.tree, True) for each in found], FACTS.domain).example() is not None
