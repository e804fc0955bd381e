"""What is said of a whole form."""

WORDS = {
    "row-not-new": {"zh": "新记录的「{label}」不能带 id。", "en": 'A row of "{label}" in a new record cannot have an id.', "hint_zh": "去掉 id,行会新建。", "hint_en": "Leave the id out; the row is made anew."},
}  # fmt: skip
