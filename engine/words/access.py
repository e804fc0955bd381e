"""Words of access: signing in, permissions, explanations."""

WORDS = {
    "sign-in-wrong": {
        "zh": "账号或密码不对。",
        "en": "The login or the password is wrong.",
        "hint_zh": "忘记密码请找管理员重置。",
        "hint_en": "Ask an administrator to reset it.",
    },
    "sign-in-needed": {"zh": "请先登录。", "en": "Please sign in."},
    "session-needed": {
        "zh": "API 令牌不能管理令牌。",
        "en": "An API token cannot manage tokens.",
        "hint_zh": "先用密码登录(POST /api/v1/session),再用会话管理令牌。",
        "hint_en": "Sign in with the password (POST /api/v1/session) and manage tokens with that session.",
    },
    "credentials-broken": {
        "zh": "凭证无效或已过期。",
        "en": "The credentials are invalid or expired.",
        "hint_zh": "重新登录,或换一个令牌。",
        "hint_en": "Sign in again, or use another token.",
    },
    "too-many-tries": {"zh": "尝试太多次,请过一分钟再试。", "en": "Too many tries; wait a minute."},
    "too-many-requests": {"zh": "请求太频繁,请稍后再试。", "en": "Too many requests; wait a moment."},
    "login-taken": {"zh": "账号「{login}」已被使用。", "en": 'The login "{login}" is taken.'},
    "password-length": {
        "zh": "密码需 {least} 到 {most} 个字符。",
        "en": "A password has {least} to {most} characters.",
    },
    "not-found": {"zh": "没有找到,或你无权查看。", "en": "Not found, or not yours to see."},
    "action-refused": {
        "zh": "你不能{action}这条{entity}。",
        "en": "You may not {action} this {entity}.",
        "hint_zh": "{who}可以。",
        "hint_en": "{who} may.",
    },
    "field-not-writable": {
        "zh": "「{label}」不能由你修改。",
        "en": '"{label}" is not yours to change.',
        "hint_zh": "去掉这个字段再提交。",
        "hint_en": "Leave the field out.",
    },
    "rows-refused": {
        "zh": "保存后这条{entity}不在你的权限范围内。",
        "en": "After saving, this {entity} would be out of your reach.",
        "hint_zh": "检查负责人、团队等字段。",
        "hint_en": "Check owner, team and the like.",
    },
    "explain-everything": {"zh": "管理员可以做一切。", "en": "An administrator may do everything."},
    "explain-allowed": {"zh": "「{role}」允许:{rule}", "en": '"{role}" allows it: {rule}'},
    "explain-rows": {
        "zh": "「{role}」只对满足「{rule}」的记录有效,这条不满足。",
        "en": '"{role}" covers only records where {rule}; this one is not.',
    },
    "explain-action": {"zh": "「{role}」没有「{action}」权限。", "en": '"{role}" may not {action}.'},
    "explain-hidden": {"zh": "「{role}」看不到这个字段。", "en": '"{role}" does not see this field.'},
    "explain-readonly": {"zh": "「{role}」不能修改这个字段。", "en": '"{role}" may not change this field.'},
    "explain-nothing": {"zh": "你的角色对它没有任何权限。", "en": "None of your roles gives any access."},
    "all-rows": {"zh": "所有记录", "en": "every record"},
    "cursor-invalid": {
        "zh": "翻页位置无效。",
        "en": "The cursor is invalid.",
        "hint_zh": "从第一页重新开始。",
        "hint_en": "Start from the first page.",
    },
    "unknown-view": {"zh": "没有视图「{name}」。", "en": 'There is no view "{name}".'},
    "field-not-sortable": {"zh": "不能按「{label}」排序。", "en": 'Cannot sort by "{label}".'},
    "measure-invalid": {
        "zh": "不认识的统计「{name}」。",
        "en": 'Unknown measure "{name}".',
        "hint_zh": "如 count()、sum(amount)。",
        "hint_en": "Such as count(), sum(amount).",
    },
    "too-many": {"zh": "「{what}」最多 {most} 个。", "en": "At most {most} in {what}."},
    "part-without-whole": {
        "zh": "「{entity}」必须属于一条可编辑的上级记录。",
        "en": 'A "{entity}" must belong to a record that you may edit.',
    },
}
