"""Words of stored files."""

WORDS = {
    "upload-too-large": {"zh": "「{name}」太大,最多 {most}。", "en": '"{name}" is too large; at most {most}.'},
    "file-empty": {"zh": "「{name}」是空文件。", "en": '"{name}" is empty.'},
    "file-disguised": {
        "zh": "「{name}」的内容不是 {ending} 文件。",
        "en": '"{name}" does not contain what its ending {ending} says.',
        "hint_zh": "用原来的程序另存后再传。",
        "hint_en": "Save it again with the program it comes from.",
    },
}
