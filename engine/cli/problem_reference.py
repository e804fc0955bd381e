"""The reference of problems and hazards: every code with its words, and for checks what they report of a wrong snippet."""

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

from engine.cli.reference import NOTE, cell

_HEAD = "app: demo\nversion: 1.0.0\nlabel: {zh: 演示, en: Demo}\n"
_SHORT = "allow: {label-missing: the snippet is short}\n"
_ROOMS = {
    "definition": "Source text and shape · 文本与结构",
    "checks": "Checks of a definition · 定义检查",
    "expressions": "Expressions · 表达式",
    "fields": "Values of fields · 字段取值",
    "forms": "Forms · 表单",
    "workflows": "Gates and transitions · 门禁与流转",
    "access": "People and permissions · 人员与权限",
    "runtime": "Changing records · 记录变更",
    "exchange": "Import and export · 导入导出",
    "publishing": "Publishing · 发布",
    "storage": "Storage · 存储",
    "web": "HTTP",
}


def problems_page() -> str:
    """Every code by room; one that a check finds comes with a definition that has it and the same after mending."""
    from engine import words
    from engine.definition.checks import checks

    hazards = set(_severities())
    lines = [
        "# Problems",
        "",
        NOTE,
        "Every code that the compiler or the running app can report. 编译器和运行中的应用可能报告的全部问题。",
        "",
        "Codes are stable; the words may get better. In the API a code is the `code` of an error. Warnings can be taken on",
        "purpose with `allow` in the definition, errors cannot. What a plan reports of records: [hazards](hazards.md).",
        "",
    ]
    rooms = {
        module.name: import_module(f"{words.__name__}.{module.name}").WORDS
        for module in pkgutil.iter_modules(words.__path__)
    }
    for room, title in _ROOMS.items():
        plain = {code: wording for code, wording in rooms[room].items() if code not in checks and code not in hazards}
        plain = {code: wording for code, wording in plain.items() if not code.startswith("change-")}
        if plain:
            lines += [f"## {title}", "", "| Code | 中文 | English |", "|---|---|---|"]
            lines += [
                f"| `{code}` | {_both(wording, 'zh')} | {_both(wording, 'en')} |"
                for code, wording in sorted(plain.items())
            ]
            lines.append("")
    lines += [
        "## Checks with an example · 附示例的检查",
        "",
        "Below `app`, `version` and `label`, the first text has the problem, the second does not.",
        "",
    ]
    for code in sorted(checks):
        lines += _example(code)
    return "\n".join(lines).rstrip() + "\n"


def _example(code: str) -> Iterator[str]:
    from engine.definition import load
    from engine.definition.checks import checks

    check = checks[code]
    head = "" if check.wrong.startswith("label:") else _HEAD.splitlines(keepends=True)[2]
    text = (
        "".join(_HEAD.splitlines(keepends=True)[:2]) + head + ("" if code == "label-missing" else _SHORT) + check.wrong
    )
    (problem,) = load({"app.yaml": text}).problems
    yield from (f"### {code}", "", f"{problem.severity}. {problem.message('en')} {problem.hint('en')}".rstrip(), "")
    yield from (f"{problem.message('zh')} {problem.hint('zh')}".rstrip(), "")
    for title, snippet in (("Wrong", check.wrong), ("Repaired", check.repaired)):
        yield from (f"{title}:", "", "```yaml", *snippet.rstrip("\n").splitlines(), "```", "")


def hazards_page() -> str:
    """Every hazard that a plan can report, with how grave it is."""
    from engine.words import catalogue

    words = catalogue()
    lines = [
        "# Hazards",
        "",
        NOTE,
        "What a plan says about the records and people that are there. 计划对现有数据和人员影响的提示。",
        "",
        "*stop*: the definition must change first. *accept*: somebody writes a reason, with",
        "`dougong publish --accept CODE@PATH=REASON`. *note*: shown only. What stops a publishing is accepted with a reason on",
        "the way back to an earlier version, except where the data itself forbids it.",
        "",
        "| Code | Severity | 中文 | English |",
        "|---|---|---|---|",
    ]
    for code, severity in sorted(_severities().items()):
        lines.append(f"| `{code}` | {severity} | {_both(words[code], 'zh')} | {_both(words[code], 'en')} |")
    return "\n".join(lines) + "\n"


def _severities() -> dict[str, str]:
    """Code -> severity, read from where each hazard is made: `Hazard("code", path, severity, …)`."""
    from engine import publishing

    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(publishing.__path__):
        tree = ast.parse(inspect.getsource(import_module(f"{publishing.__name__}.{module.name}")))
        for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
            calls = [each for each in ast.walk(function) if isinstance(each, ast.Call) and _name(each.func) == "Hazard"]
            for call in calls:
                code, severity = call.args[0], call.args[2]
                for text in _codes(code, function, tree):
                    found[text] = str(severity.value) if isinstance(severity, ast.Constant) else "stop"
    return found


def _codes(code: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """The code of a hazard; where the function takes it as a parameter, the codes it is called with."""
    if isinstance(code, ast.Constant):
        yield str(code.value)
        return
    position = [argument.arg for argument in function.args.args].index(_name(code))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) == function.name:
            given = call.args[position]
            assert isinstance(given, ast.Constant), ast.unparse(call)
            yield str(given.value)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _both(wording: dict[str, str], language: str) -> str:
    hint = wording.get(f"hint_{language}")
    return cell(wording[language]) + (f"<br>{cell(hint)}" if hint else "")
