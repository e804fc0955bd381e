"""The words for what is wrong with an expression."""

WORDS = {
    "expression-syntax": {
        "zh": "表达式在「{found}」处读不通。",
        "en": 'The expression cannot be read at "{found}".',
        "hint_zh": "此处应为「{expected}」。",
        "hint_en": 'Expected "{expected}" here.',
    },
    "expression-too-large": {
        "zh": "表达式太大:超过 {limit} {of}。",
        "en": "The expression is too large: over {limit} {of}.",
        "hint_zh": "拆成几个公式字段。",
        "hint_en": "Split it into several formula fields.",
    },
    "number-too-long": {
        "zh": "数「{text}」太长:最多 {digits} 位,其中小数最多 {scale} 位。",
        "en": "The number {text} is too long: at most {digits} digits, {scale} of them decimals.",
    },
    "duration-unfit": {
        "zh": "「{text}」不能用在表达式里。",
        "en": '"{text}" cannot be used in an expression.',
        "hint_zh": "可用 s、min、h、d、weeks、workhours、workdays(整数);月份用 add_months。",
        "hint_en": "Use s, min, h, d, weeks, workhours, or whole workdays; add_months for months.",
    },
    "unknown-field": {
        "zh": "{entity} 没有字段「{name}」。",
        "en": '{entity} has no field "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "unknown-variable": {
        "zh": "没有名为「{name}」的字段或变量。",
        "en": 'There is no field or variable "{name}".',
    },
    "unknown-function": {
        "zh": "没有函数「{name}」。",
        "en": 'There is no function "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "unknown-option": {
        "zh": "「{field}」没有选项「{name}」(有:{options})。",
        "en": '"{field}" has no option "{name}" (it has: {options}).',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "argument-count": {
        "zh": "{function} 不能带 {count} 个参数。",
        "en": "{function} does not take {count} arguments.",
    },
    "type-mismatch": {
        "zh": "「{text}」是{found},此处应为{expected}。",
        "en": '"{text}" is {found}; {expected} is needed here.',
    },
    "unit-mismatch": {
        "zh": "单位不同:{one} 与 {other}。",
        "en": "Units differ: {one} and {other}.",
    },
    "null-unhandled": {
        "zh": "「{name}」可能为空,结果也就可能为空,而这里必须有值。",
        "en": '"{name}" may be empty, and then so is the result, which must not be.',
        "hint_zh": "补上 or 0,或先用 filled(…) 判断。",
        "hint_en": "Add or 0, or ask filled(…) first.",
    },
    "may-divide-by-zero": {
        "zh": "除数「{divisor}」可能为 0,结果便为空。",
        "en": 'The divisor "{divisor}" may be 0; the result is then empty.',
        "hint_zh": "先判断 {divisor} > 0,或在后面补上 or 0。",
        "hint_en": "Ask {divisor} > 0 first, or add or 0.",
    },
}
