"""Random expressions over the order of the test schema, as people would write them, typed so that most of them check."""

from hypothesis import strategies as st

_NUMBERS = ["amount", "cost", "quantity", "weight", "rate", "customer.credit", "sum(lines.amount)", "count(lines)", "max(lines.quantity)", "limit",
            "count(lines where late)", "avg(lines.quantity where amount > 0)", "min(customer.orders.quantity)", "sum(lines.amount where day > this.due)", "count(photos)",
            "0", "1", "2", "0.5", "2.345", "-7", "1000000", "15%", "null"]  # fmt: skip
_TEXTS = [
    "title",
    "note",
    "customer.name",
    "customer.parent.name",
    "state",
    "stage",
    "'a'",
    "'北京'",
    "'𠮷'",
    "''",
    "' a '",
    "max(lines.label)",
    "owner.team.name",
]
_DATES = ["due", "today()", "date('2024-02-29')", "customer.since", "date(sent_at)", "max(lines.day)", "null"]
_INSTANTS = ["sent_at", "now()"]
_DURATIONS = ["effort", "2 h", "3 d", "90 min", "sum(lines.took)", "0 s"]
_TRUTHS = ["paid", "true", "false", "exists(lines where late)", "all(lines.late)", "any(lines.late where amount > this.amount)", "has(tags, 'red')", "'blue' in tags",
           "state == 'paid'", "state in ['draft', 'sent']", "stage != 'open'", "owner == user", "owner.team in user.teams_below", "customer is null",
           "user in customer.orders.owner", "filled(photos)", "exists(customer.orders where amount > this.amount and stage == this.stage)"]  # fmt: skip


def _calls(*templates: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def filled(template: str) -> st.SearchStrategy[str]:
        names = [name for name in parts if f"{{{name}}}" in template]
        return st.builds(
            lambda *values: template.format(**dict(zip(names, values, strict=True))), *(parts[name] for name in names)
        )

    return st.sampled_from(templates).flatmap(filled)


def expressions(depth: int) -> dict[str, st.SearchStrategy[str]]:
    """A strategy for each kind of result."""
    leaves = {
        "number": st.sampled_from(_NUMBERS), "text": st.sampled_from(_TEXTS), "date": st.sampled_from(_DATES),
        "instant": st.sampled_from(_INSTANTS), "duration": st.sampled_from(_DURATIONS), "truth": st.sampled_from(_TRUTHS),
    }  # fmt: skip
    if depth == 0:
        return leaves
    a, b = expressions(depth - 1), expressions(depth - 1)
    n, m, s, t, d, e, i, u, c, k = (
        a["number"], b["number"], a["text"], b["text"], a["date"], b["date"], a["instant"], a["duration"], a["truth"], b["truth"],
    )  # fmt: skip
    parts = {"n": n, "m": m, "s": s, "t": t, "d": d, "e": e, "i": i, "j": b["instant"], "u": u, "v": b["duration"], "c": c, "k": k,
             "w": st.sampled_from(["-3", "0", "1", "2", "5", "quantity", "20"])}  # fmt: skip
    branch = {
        "number": _calls(
            "({n} + {m})", "({n} - {m})", "{n} * {m}", "({n}) / ({m})", "({n}) % ({m})", "-({n})", "abs({n})", "min({n}, {m})", "max({n}, {m}, 3)", "round({n}, 1)",
            "roundup({n}, 1)", "rounddown({n})", "int({n})", "round({n}, -2)", "power({n}, 2)", "power({n}, 3)", "clamp({n}, 0, 10)", "sum({n}, {m})", "({n} or {m})",
            "({n} if {c} else {m})", "IF({c}, {n})", "len({s})", "year({d})", "month({d})", "day({d})", "weekday({d})", "quarter({d})", "days_between({d}, {e})",
            "hours_between({i}, {j})", "hours({u})", "({u} / {v})", "number({s})", "number({c})", "hour({i})", "IFS({c}, {n}, {k}, {m}, 5)", "avg({n}, {m})",
            "SWITCH({s}, 'a', {n}, '北京', 2, {m})", "workhours_between({i}, {j})", "workdays_between(date('2026-03-01'), today()) + {n}", **parts,
        ),
        "text": _calls(
            "concat({s}, {t})", "({s} + {t})", "{s} & {n}", "({s} if {c} else {t})", "({s} or {t})", "upper({s})", "lower({s})", "trim({s})", "left({s}, {w})", "right({s}, {w})",
            "mid({s}, {w}, {w})", "text({d})", "text({i})", "text({n})", "min({s}, {t})", "max({s}, {t})", **parts,
        ),
        "date": _calls(
            "({d} + {u})", "({d} - {u})", "add_months({d}, {w})", "start_of_month({d})", "end_of_month({d})", "start_of_week({d})", "end_of_quarter({d})", "start_of_year({d})",
            "end_of_week({d})", "start_of_quarter({d})", "end_of_year({d})", "({d} or {e})", "({d} if {c} else {e})", "date({i})", "date(2026, {w}, {w})", "min({d}, {e})",
            "today() + 3 workdays", "add_workdays(today(), {w})", **parts,
        ),
        "instant": _calls("({i} + {u})", "({i} - {u})", "({i} if {c} else {j})", "({i} or {j})", "max({i}, {j})", "now() + 2 workdays",
            "({i} + 3 workhours)", "({i} - 50 workhours)", "add_workhours({i}, {w})", "({i} - 2 workdays)", "({i} + (2 workdays if {c} else 5 workdays))", **parts),
        "duration": _calls("({u} + {v})", "({u} - {v})", "{u} * {n}", "({u}) / ({n})", "({d} - {e})", "({i} - {j})", "(sent_at - {d})", "({u} if {c} else {v})", "-({u})", **parts),
        "truth": _calls(
            "({n} < {m})", "({n} >= {m})", "({n} == {m})", "({n} != {m})", "(1 < {n} <= {m})", "({s} < {t})", "({s} == {t})", "({s} >= {t})", "({d} < {e})", "({d} == {e})",
            "({i} > {d})", "({i} == {d})", "({i} < {j})", "({u} > {v})", "({c} and {k})", "({c} or {k})", "not {c}", "({c} == {k})", "({n} is null)", "({s} is not null)",
            "contains({s}, {t})", "starts_with({s}, {t})", "ends_with({s}, {t})", "({n} in [1, 2, {m}])", "({s} in ['a', '北京', ''])", "isblank({d})", "filled({n})",
            "AND({c}, {k}, {c})", "({c} if {k} else paid)", "is_workday(today() + {u})", "(null == {n})", **parts,
        ),
    }  # fmt: skip
    return {kind: st.one_of(leaves[kind], branch[kind], branch[kind]) for kind in leaves}


def texts(depth: int = 3) -> st.SearchStrategy[str]:
    return st.one_of(*expressions(depth).values())
