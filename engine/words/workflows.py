"""Words of processes: gates, transitions, approvals."""

WORDS = {
    "gate-field": {"zh": "「{label}」未填", "en": '"{label}" is empty'},
    "gate-files": {"zh": "「{label}」需 {need} 份,现有 {have} 份", "en": '"{label}" needs {need} file(s), has {have}'},
    "gate-files-typed": {
        "zh": "「{label}」需 {need} 份({accept}),现有 {have} 份",
        "en": '"{label}" needs {need} file(s) ({accept}), has {have}',
    },
    "gate-related": {"zh": "「{label}」需 {need} 个,现有 {have} 个", "en": '"{label}" needs {need}, has {have}'},
    "gate-checklist": {"zh": "未勾选「{label}」", "en": '"{label}" is not ticked'},
    "gate-roles": {"zh": "只有{label}可以通过", "en": "Only {label} may pass"},
    "gate-rule": {"zh": "不满足:{label}", "en": "Does not hold: {label}"},
    "gate-blocked": {
        "zh": "不能离开「{origin}」:还缺 {count} 项:{missing}",
        "en": 'Cannot leave "{origin}": {count} missing: {missing}',
        "hint_zh": "{who}可以补齐。",
        "hint_en": "{who} can provide this.",
    },
    "gate-missing": {
        "zh": "{words}",
        "en": "{words}",
        "hint_zh": "{who}可以提供。",
        "hint_en": "{who} can provide this.",
    },
    "transition-unknown": {
        "zh": "从「{origin}」没有通向「{to}」的路。",
        "en": 'There is no way from "{origin}" to "{to}".',
        "hint_zh": "可走:{open}。",
        "hint_en": "Possible: {open}.",
    },
    "transition-refused": {"zh": "{say}", "en": "{say}"},
    "transition-roles": {"zh": "「{transition}」只能由{roles}进行。", "en": '"{transition}" is for {roles} only.'},
    "reason-missing": {
        "zh": "「{transition}」需要说明原因。",
        "en": '"{transition}" needs a reason.',
        "hint_zh": "可选:{reasons}。",
        "hint_en": "Choose from: {reasons}.",
    },
    "stage-by-transition": {
        "zh": "阶段只能通过流转改变,不能直接修改。",
        "en": "The stage changes only by a transition, never directly.",
    },
    "no-process": {"zh": "「{entity}」没有流程。", "en": '"{entity}" has no process.'},
    "checklist-unknown": {"zh": "没有检查项「{item}」。", "en": 'There is no checklist item "{item}".'},
}
