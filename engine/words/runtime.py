"""Words of the write path: refusals that people meet when they save."""

WORDS = {
    "undo-not": {"zh": "没有撤销，什么都没有变。", "en": "Nothing was undone and nothing has changed."},
    "required-missing": {"zh": "「{label}」必填。", "en": '"{label}" is required.'},
    "stale-edit": {
        "zh": "别人已先保存过这条记录(你看到的是第 {seen} 版,现在是第 {current} 版)。",
        "en": "Somebody else saved this record first (you saw version {seen}, it is now {current}).",
        "hint_zh": "对照最新内容,再保存你的修改。",
        "hint_en": "Compare with the newest, then save your changes again.",
    },
    "reference-missing": {
        "zh": "「{label}」指向的记录不存在,或你无权查看。",
        "en": '"{label}" points to a record that does not exist or is not yours to see.',
    },
    "reference-unfit": {
        "zh": "「{label}」选的记录不符合条件。",
        "en": 'The record chosen for "{label}" does not meet its condition.',
    },
    "version-moved": {
        "zh": "应用刚刚发布了新版本,这次没有保存。",
        "en": "A new version of the app was published this moment; nothing was saved.",
        "hint_zh": "请再试一次。",
        "hint_en": "Please try again.",
    },
    "not-unique": {
        "zh": "「{label}」已有相同的值。",
        "en": '"{label}" already has this value elsewhere.',
        "hint_zh": "换一个值,或打开那条记录。",
        "hint_en": "Use another value, or open that record.",
    },
    "rule-broken": {"zh": "{say}", "en": "{say}"},
    "field-locked": {"zh": "「{label}」现在不能修改。", "en": '"{label}" cannot be changed now.'},
    "deletion-restricted": {
        "zh": "还有 {count} 条{entity}指向它,不能删除。",
        "en": "{count} {entity} still point to it; it cannot be deleted.",
        "hint_zh": "先处理这些记录。",
        "hint_en": "Deal with those first.",
    },
    "deletion-restricted-unseen": {
        "zh": "还有你看不到的记录指向它,不能删除。",
        "en": "Records that you do not see still point to it; it cannot be deleted.",
    },
    "restore-needs": {
        "zh": "「{label}」所指的{entity}「{title}」已被删除,这条记录不能单独恢复。",
        "en": '"{label}" points to {entity} "{title}", which is deleted: this record cannot come back without it.',
        "hint_zh": "先恢复「{title}」。",
        "hint_en": 'Restore "{title}" first.',
    },
    "restore-needs-unseen": {
        "zh": "它所指的一条你看不到的记录已被删除,不能单独恢复。",
        "en": "It points to a record that is deleted and that you do not see: it cannot come back without that one.",
    },
    "not-deleted": {"zh": "这条记录没有被删除。", "en": "This record is not deleted."},
    "child-unknown": {"zh": "第 {row} 行不属于这条记录。", "en": "Row {row} does not belong to this record."},
    "file-unknown": {"zh": "没有这个文件,或它不是你上传的。", "en": "There is no such file, or it is not yours."},
    "not-a-file-field": {"zh": "「{label}」不是附件字段。", "en": '"{label}" does not hold files.'},
    "merge-same": {"zh": "不能把记录与自己合并。", "en": "A record cannot be merged with itself."},
    "conversion-unknown": {
        "zh": "没有转换「{name}」。",
        "en": 'There is no conversion "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "conversion-refused": {"zh": "{say}", "en": "{say}"},
    "converted-already": {"zh": "这条记录已经转换过。", "en": "This record has been converted already."},
    "undo-unknown": {"zh": "没有可以撤销的操作,或不是你做的。", "en": "There is nothing to undo, or it was not yours."},
    "undo-changed": {
        "zh": "「{label}」后来又被改过,不能撤销。",
        "en": '"{label}" has been changed since; it cannot be undone.',
    },
    "undo-transition": {
        "zh": "阶段流转不能撤销,请退回上一阶段。",
        "en": "A transition cannot be undone; go back a stage instead.",
    },
    "duplicate-found": {
        "zh": "可能与「{title}」重复(相似度 {score})。",
        "en": 'Probably the same as "{title}" (likeness {score}).',
        "hint_zh": "打开对比,或确认不是同一个。",
        "hint_en": "Compare them, or confirm that they differ.",
    },
    "duplicate-hidden": {
        "zh": "可能与一条你看不到的记录重复(相似度 {score})。",
        "en": "Probably the same as a record you cannot see (likeness {score}).",
    },
    "takeover-refused": {
        "zh": "只有管理员可以按原样接收历史阶段。",
        "en": "Only an administrator may take over stages as they are.",
    },
    "pipeline-unknown": {
        "zh": "没有流程「{name}」。",
        "en": 'There is no process "{name}".',
        "hint_zh": "可选:{open}。",
        "hint_en": "Possible: {open}.",
    },
    "person-unknown": {"zh": "没有这位用户。", "en": "There is no such person."},
    "group-circle": {"zh": "「{label}」绕回了自己。", "en": '"{label}" leads back to the record itself.'},
    "comment-empty": {"zh": "评论还没有内容。", "en": "The comment says nothing yet."},
    "comment-too-long": {"zh": "评论最多 {limit} 个字。", "en": "A comment has at most {limit} characters."},
    "comment-not-yours": {
        "zh": "这条评论是别人写的，你不能改。",
        "en": "Somebody else wrote this comment; you cannot change it.",
    },
    "comment-changed": {
        "zh": "这条评论后来又被改过，不能撤销。",
        "en": "This comment has been changed since; it cannot be undone.",
    },
    "mention-untold": {
        "zh": "没有通知到 {names}：没有这个人，或他看不到这条记录。",
        "en": "Not told: {names}. There is no such person, or he may not see this record.",
    },
    "busy": {"zh": "系统正忙,请稍后再试。", "en": "The system is busy; try again in a moment."},
}
