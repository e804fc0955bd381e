"""Words of problems in a definition's text and shape: what does not parse, what the vocabulary does not know."""

WORDS = {
    # Source text
    "yaml-syntax": {
        "zh": "无法解析:这里应有{expected}。",
        "en": "This does not parse: {expected} was expected here.",
    },
    "yaml-hostile": {
        "zh": "不接受这个文件:{what}。",
        "en": "This file is refused: {what}.",
        "hint_zh": "应用定义只用普通的键、值和列表。",
        "hint_en": "A definition is made of plain keys, values and lists.",
    },
    "duplicate-key": {
        "zh": "「{key}」定义了两次(先在 {place})。",
        "en": '"{key}" is defined twice (first at {place}).',
        "hint_zh": "删去其中一个。",
        "hint_en": "Delete one of them.",
    },
    "scalar-ambiguous": {
        "zh": "「{text}」按文本读,别的程序可能读作数字或是非。",
        "en": '"{text}" is read as a text here, but as a number or boolean elsewhere.',
        "hint_zh": "是文本就加引号;否则写普通的数字,或 true、false。",
        "hint_en": "Quote it if it is a text; else write a plain number, true or false.",
    },
    "fullwidth-sign": {
        "zh": "「{before}」后是{sign} {code}。",
        "en": '"{before}" is followed by {sign}, {code}.',
        "hint_zh": "改用{instead}。",
        "hint_en": "Use {instead}.",
    },
    "include-broken": {
        "zh": "不能包含「{name}」:{why}。",
        "en": '"{name}" cannot be included: {why}.',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "unknown-preset": {
        "zh": "没有叫「{name}」的{thing}。",
        "en": 'There is no {thing} "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "override-lost": {
        "zh": "预设改动的「{key}」在应用里并不存在。",
        "en": 'The preset changes "{key}", which the app does not have.',
        "hint_zh": "是否想写「{nearest}」?否则删去这一处。",
        "hint_en": 'Did you mean "{nearest}"? Else delete this.',
    },
    # Shape
    "unknown-key": {
        "zh": "不认识键「{key}」。",
        "en": '"{key}" is no key that is known here.',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "missing-key": {
        "zh": "缺少键「{key}」。",
        "en": 'The key "{key}" is missing.',
    },
    "wrong-shape": {
        "zh": "这里应是{expected}。",
        "en": "Expected {expected} here.",
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "unit-missing": {
        "zh": "「{value}」没有单位。",
        "en": '"{value}" has no unit.',
        "hint_zh": "写上单位,如 {value} workdays、{value} h 或 {value} min。",
        "hint_en": "Append a unit, such as {value} workdays, {value} h or {value} min.",
    },
    "unknown-type": {
        "zh": "没有字段类型「{name}」。",
        "en": 'There is no field type "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "unknown-card": {
        "zh": "没有卡片类型「{name}」。",
        "en": 'There is no kind of card "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "card-kind-missing": {
        "zh": "卡片缺少 kind。",
        "en": "The card has no kind.",
        "hint_zh": "写上其中之一:{kinds}。",
        "hint_en": "Name one of them: {kinds}.",
    },
}
