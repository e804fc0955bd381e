"""Definition text: what parses, what is refused, how files come together, and where everything stands."""

from pathlib import Path

import pytest

from engine.definition.package import read
from engine.definition.parse import parse
from engine.problems import Problem
from tests.effort import at_most

HEAD = "app: demo\nversion: 1.0.0\nlabel: 演示\n"


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in sorted(problems, key=Problem.sort_key)]


def places(problems: list[Problem]) -> list[str]:
    return [f"{problem.place} {problem.code}" for problem in sorted(problems, key=Problem.sort_key)]


def test_words_that_yaml_1_1_would_twist_stay_as_written() -> None:
    root = parse(
        "x.yaml", "on: '12:30'\nhours: 12:30\ncount: 12\nrate: 1.50\nopen: true\nnone: ~\nkeys: {1: a, true: b}\n"
    ).root
    assert root is not None
    assert root.data == {
        "on": "12:30",
        "hours": "12:30",
        "count": 12,
        "rate": 1.5,
        "open": True,
        "none": None,
        "keys": {"1": "a", "true": "b"},
    }


@pytest.mark.parametrize("word", ["1e3", "0123", "0x1F", "yes", "off", "1_000"])
def test_a_scalar_that_other_readers_take_for_a_number_or_boolean_is_a_text_with_a_warning(word: str) -> None:
    parsed = parse("x.yaml", f"a: {word}\nb: '{word}'\n")
    assert parsed.root is not None
    assert parsed.root.data == {"a": word, "b": word}
    assert [(p.code, p.severity, str(p.place)) for p in parsed.problems] == [
        ("scalar-ambiguous", "warning", "x.yaml:1:4")
    ]


def test_json_is_read_like_yaml_with_the_same_places() -> None:
    source = read({"x.json": '{"app": "demo",\n  "entities": {\n\t"order": {"fields": {"a": "te\\u0078t"}}}}'})
    assert source.problems == []
    assert source.data["entities"]["order"]["fields"] == {"a": "text"}
    assert str(source.place(("entities", "order"), key=True)) == "x.json:3:2"


HOSTILE = {
    "an alias bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "an anchor alone": "a: &a 1\n",
    "a tag": "a: !!python/object/apply:os.system ['true']\n",
    "a local tag": "a: !secret x\n",
    "a merge key": "a: {x: 1}\nb: {<<: {y: 2}}\n",
    "a text over 1 MB": "a: " + "x" * 1_100_000,
    "a megabyte of opening brackets": "a: " + "[" * 900_000,
    "a megabyte of opening braces": "a: " + "{" * 900_000,
    "a deep map of maps": "{a: " * 200_000,
    "deep block lists": "- " * 400_000,
    "deep indentation": "\n".join(" " * n + "a:" for n in range(1000)),
    "half a million values": "a: [" + "1," * 400_000 + "]",
    "half a million keys": "".join(f"k{n}: 1\n" for n in range(60_000)),
    "question marks": "? " * 400_000,
    "a quote that never ends": "a: '" + "x\n" * 400_000,
    "a zero-width space": "a\u200b: 1\n",
    "a right-to-left override": "a: x\u202ey\n",
    "a null byte": "a: x\x00y\n",
    "a lone surrogate": "a: x\ud800y\n",
    "a tag letter": "a: x\U000e0041\n",
    "an escaped null": 'a: "x\\0y"\n',
    "an escaped escape": 'a: "x\\e[31m"\n',
    "an escaped override in a key": '"a\\u202e": 1\n',
    "a line separator": "a: x\u2028b: y\n",
    "an escape sequence": "a: \x1b[31m\n",
    "ampersands": "&" * 900_000,
    "a megabyte of one key": "x" * 900_000 + ": 1",
    "a very long plain text over many lines": "a: " + "b\n  " * 200_000 + "\nc",
    "colons": "a:" * 400_000,
    "quotes": '"' * 900_000,
    "exclamation marks": "!" * 900_000,
    "percent signs": "%" * 900_000,
    "comments only": "#\n" * 400_000,
    "bars": "a: |\n" + " x\n" * 300_000 + "\tb",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused_in_no_time(text: str) -> None:
    with at_most(10_000):  # the most that any of them takes is 314, and 0.01 s
        source = read({"x.yaml": text})
    assert source.problems
    assert {p.code for p in source.problems} <= {"yaml-hostile", "yaml-syntax", "wrong-shape"}


def test_more_than_ten_megabytes_are_refused_without_parsing() -> None:
    source = read({f"{n}.yaml": "a: 1\n" + "#" * 900_000 for n in range(12)}, root="0.yaml")
    assert codes(source.problems) == ["yaml-hostile"]


def test_a_file_that_is_no_utf_8_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("标签: 应用".encode("gbk"))
    assert codes(read(tmp_path / "x.yaml").problems) == ["yaml-hostile"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", "x.yaml:2:1"),
        ("a: b: c", "x.yaml:1:5"),
        ("a: 'x", "x.yaml:1:4"),
        ("a:\n\tb: 1", "x.yaml:2:1"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1"),
        ("- a\nb: 1", "x.yaml:2:1"),
    ],
)
def test_what_does_not_parse_says_what_was_expected_and_where(text: str, place: str) -> None:
    (problem,) = read({"x.yaml": text + "\n" * text.startswith("a: [")}).problems
    assert (problem.code, str(problem.place)) == ("yaml-syntax", place)
    assert problem.message("en").endswith("was expected here.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("quote:\n  label：报价\n  fields: {amount: money}\n", "x.yaml:2:8"),
        ("quote:\n  fields: {amount: money}\n  label：报价\n", "x.yaml:3:8"),
        ("quote: {a：1，b: 2}\n", "x.yaml:1:10"),
        ("quote: {a: 1， b: 2}\n", "x.yaml:1:13"),
        ("quote: [first，second]\n", "x.yaml:1:14"),
        ("quote:\n\u3000\u3000label: x\n", "x.yaml:2:1"),
        ("quote:\n  label:\u00a0x\n  b: 1\n", "x.yaml:2:9"),
        ("quote:\n  fields：\n    a: text\n", "x.yaml:2:9"),
    ],
)
def test_a_full_width_sign_where_yaml_wants_ascii_is_pointed_at(text: str, found: str) -> None:
    problems = read({"x.yaml": text}).problems
    assert f"{found} fullwidth-sign" in places(problems)


def test_full_width_signs_inside_texts_are_nobodys_business() -> None:
    source = read(
        {
            "x.yaml": "label: 报价：含税，含运费\nhelp: >\n  \u3000\u3000说明：如下，\n  请看。\nlist: [你好，世界, '甲：乙']\n"
        }
    )
    assert source.problems == []


def test_a_key_defined_twice_names_both_places() -> None:
    (problem,) = read({"x.yaml": "a: 1\nb: 2\na: 3\n"}).problems
    assert (problem.code, str(problem.place), str(problem.related[0])) == ("duplicate-key", "x.yaml:3:1", "x.yaml:1:1")


def test_two_keys_that_look_alike_are_one_key_twice() -> None:
    assert codes(read({"x.yaml": "caf\u00e9: 1\ncafe\u0301: 2\n"}).problems) == ["duplicate-key"]
    assert codes(read({"x.yaml": "a: {b: 1, é: 2, a: 3, ａ: 4}\n"}).problems) == ["duplicate-key"]


def test_included_files_come_together_and_a_thing_stands_in_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "x.yaml").write_text(HEAD + "include: [parts/, roles.json]\nentities: {}\n", encoding="utf-8")
    (tmp_path / "parts" / "a.yaml").write_text(
        "entities: {a: {fields: {}}}\npolicies: {rep: {a: {rows: 'true'}}}\n", encoding="utf-8"
    )
    (tmp_path / "parts" / "b.yaml").write_text(
        "entities: {b: {fields: {}}}\npolicies: {rep: {b: {rows: 'true'}}}\n", encoding="utf-8"
    )
    (tmp_path / "parts" / "notes.txt").write_text("nothing", encoding="utf-8")
    (tmp_path / "roles.json").write_text('{"roles": {"rep": {}}}', encoding="utf-8")
    source = read(tmp_path / "x.yaml")
    assert source.problems == []
    assert list(source.data["entities"]) == ["a", "b"]
    assert list(source.data["policies"]["rep"]) == ["a", "b"]
    assert list(source.files) == ["x.yaml", "parts/a.yaml", "parts/b.yaml", "roles.json"]
    assert str(source.place(("policies", "rep", "b"), key=True)).endswith("parts/b.yaml:2:18")
    again = read(source.files)
    assert again.data == source.data


def test_a_thing_defined_in_two_files_is_reported_at_the_second() -> None:
    source = read(
        {
            "x.yaml": HEAD + "include: [a.yaml, b.yaml]\n",
            "a.yaml": "entities: {o: {fields: {}}}\n",
            "b.yaml": "label: x\nentities:\n  o: {fields: {}}\n",
        }
    )
    assert places(source.problems) == ["b.yaml:1:1 duplicate-key", "b.yaml:3:3 duplicate-key"]


@pytest.mark.parametrize(
    ("include", "place"),
    [
        ("[missing.yaml]", "x.yaml:4:11"),
        ("../other.yaml", "x.yaml:4:10"),
        ("/etc/passwd", "x.yaml:4:10"),
        ("[a.yaml, x.yaml]", "x.yaml:4:19"),
    ],
)
def test_an_include_that_is_missing_outside_or_circular_is_broken(include: str, place: str) -> None:
    source = read({"x.yaml": HEAD + f"include: {include}\n", "a.yaml": "roles: {}\n"})
    assert places(source.problems) == [f"{place} include-broken"]


def test_a_link_that_leads_out_of_the_folder_is_outside_the_app(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("roles: {}\n", encoding="utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (tmp_path / "app" / "x.yaml").write_text(HEAD + "include: link.yaml\n", encoding="utf-8")
    source = read(tmp_path / "app" / "x.yaml")
    assert codes(source.problems) == ["include-broken"]
    assert list(source.files) == ["x.yaml"]


PRESETS = (
    HEAD
    + "presets: {small: {label: 小, file: small.yaml}}\nentities: {o: {label: 订单, fields: {a: {type: text, required: true}, b: {type: text}, list: [1, 2]}}}\n"
)


def test_a_preset_merges_maps_replaces_values_and_deletes_with_null() -> None:
    files = {
        "x.yaml": PRESETS,
        "small.yaml": "entities: {o: {label: 单据, fields: {a: {required: false}, b: null, c: {type: date}, list: [3]}}}\n",
    }
    assert read(files).data["entities"]["o"]["label"] == "订单"
    source = read(files, preset="small")
    assert source.problems == []
    assert source.data["entities"]["o"] == {
        "label": "单据",
        "fields": {"a": {"type": "text", "required": False}, "c": {"type": "date"}, "list": [3]},
    }
    assert str(source.place(("entities", "o", "fields", "a", "required"))) == "small.yaml:1:50"
    assert str(source.place(("entities", "o", "fields", "a", "type"))) == "x.yaml:5:46"


def test_a_preset_that_deletes_what_is_not_there_has_lost_its_override() -> None:
    source = read({"x.yaml": PRESETS, "small.yaml": "entities: {o: {fields: {bb: null}}}\n"}, preset="small")
    (problem,) = source.problems
    assert (problem.code, problem.path, problem.parameters["nearest"]) == ("override-lost", "entities.o.fields.bb", "b")


def test_the_files_of_presets_that_are_not_chosen_belong_to_the_package() -> None:
    assert list(read({"x.yaml": PRESETS, "small.yaml": "{}\n", "other.yaml": "{}\n"}).files) == ["x.yaml", "small.yaml"]


def test_a_preset_that_is_not_listed_is_unknown() -> None:
    assert codes(read({"x.yaml": PRESETS, "small.yaml": "{}\n"}, preset="smal").problems) == ["unknown-preset"]


@pytest.mark.parametrize(
    ("scalar", "word", "place"),
    [
        ("amount > limit", "limit", "x.yaml:1:13"),
        ("'amount > ''x'' and limit'", "limit", "x.yaml:1:24"),
        ('"amount > \\"x\\" and\\tlimit"', "limit", "x.yaml:1:25"),
        ('"amount > \\u4e2d and limit"', "limit", "x.yaml:1:25"),
        ("amount\n  >\n\n  limit", "limit", "x.yaml:4:3"),
        ("'amount\n    > limit'", "limit", "x.yaml:2:7"),
        ('"amount \\\n    > limit"', "limit", "x.yaml:2:7"),
        ("|\n  amount\n    > limit\n", "limit", "x.yaml:3:7"),
        (">-\n  amount\n  > 金额 +\n\n  limit\n", "limit", "x.yaml:5:3"),
        ("金额 > limit", "limit", "x.yaml:1:9"),
    ],
)
def test_a_word_inside_a_scalar_has_its_own_line_and_column(scalar: str, word: str, place: str) -> None:
    source = read({"x.yaml": f"a: {scalar}\n"})
    assert source.problems == []
    value = source.data["a"]
    assert str(source.place(("a",), offset=value.index(word))) == place
    patch = source.patch(("a",), "bound", value.index(word), len(word))
    assert patch is not None
    assert (str(patch.place), patch.length) == (place, len(word))
