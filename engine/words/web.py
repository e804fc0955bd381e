"""The words of what the HTTP surface itself refuses, before a record is touched."""

from engine.words import Wording

WORDS: dict[str, Wording] = {
    "cross-site": {
        "zh": "这个请求来自别的网站,已拒绝。",
        "en": "This request comes from another site and was refused.",
    },
    "csrf-missing": {
        "zh": "请求没有带上本会话的防伪令牌。",
        "en": "The request lacks the anti-forgery token of this session.",
        "hint_zh": "把 /api/v1/session 返回的 csrf 放进 X-CSRF-Token 请求头;网页请刷新后再试。",
        "hint_en": "Send the csrf value of /api/v1/session as the X-CSRF-Token header; on a page, reload it and try again.",
    },
    "method-unknown": {
        "zh": "这个地址不支持 {method}。",
        "en": "This address does not take {method}.",
    },
    "type-unsupported": {
        "zh": "请求内容的类型应为 {expected}。",
        "en": "The content type of the request must be {expected}.",
    },
    "too-large": {
        "zh": "内容太大:最多 {limit} 字节。",
        "en": "Too large: at most {limit} bytes.",
    },
    "address-too-long": {
        "zh": "地址太长:最多 {limit} 字节。",
        "en": "The address is too long: at most {limit} bytes.",
    },
    "headers-too-large": {
        "zh": "请求头太多或太大。",
        "en": "The request headers are too many or too large.",
    },
    "json-broken": {
        "zh": "内容不是合法的 JSON(第 {position} 个字符处)。",
        "en": "The content is not valid JSON (at character {position}).",
    },
    "json-not-text": {
        "zh": "内容不是 UTF-8 文本。",
        "en": "The content is not UTF-8 text.",
    },
    "json-deep": {
        "zh": "JSON 嵌套太深:最多 {limit} 层。",
        "en": "The JSON is nested too deeply: at most {limit} levels.",
    },
    "json-twice": {
        "zh": "JSON 对象里「{name}」出现了两次。",
        "en": 'The JSON object has "{name}" twice.',
    },
    "json-object-expected": {
        "zh": "内容应当是一个 JSON 对象。",
        "en": "The content must be a JSON object.",
    },
    "json-key-unknown": {
        "zh": "这里没有「{name}」这一项。",
        "en": 'There is no "{name}" here.',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "json-key-missing": {
        "zh": "缺少「{name}」。",
        "en": '"{name}" is missing.',
    },
    "json-key-wrong": {
        "zh": "「{name}」应当是{expected}。",
        "en": '"{name}" must be {expected}.',
    },
    "number-unfit": {
        "zh": "{value} 不是可以存储的数。",
        "en": "{value} is not a number that can be stored.",
    },
    "text-unfit": {
        "zh": "文本含有不能存储的字符(U+0000 或不成对的代理字符)。",
        "en": "The text has characters that cannot be stored (U+0000 or a lone surrogate).",
    },
    "parameter-unknown": {
        "zh": "没有「{name}」这个参数或字段。",
        "en": 'There is no parameter or field "{name}".',
        "hint_zh": "是否想写「{nearest}」?",
        "hint_en": 'Did you mean "{nearest}"?',
    },
    "parameter-twice": {
        "zh": "参数「{name}」出现了两次。",
        "en": 'The parameter "{name}" is given twice.',
    },
    "parameter-unfit": {
        "zh": "参数「{name}」的值不合适:应当是{expected}。",
        "en": 'The parameter "{name}" does not fit: expected {expected}.',
    },
    "list-too-long": {
        "zh": "「{name}」里太多了:最多 {limit} 个。",
        "en": '"{name}" has too many: at most {limit}.',
    },
    "version-missing": {
        "zh": "没有说明您修改的是哪个版本。",
        "en": "The request does not say which version it changes.",
        "hint_zh": "先读取记录,把它的 ETag 放进 If-Match 请求头。",
        "hint_en": "Read the record first and send its ETag as If-Match.",
    },
    "version-unfit": {
        "zh": "If-Match 应当是这条记录的一个 ETag。",
        "en": "If-Match must be one ETag of this record.",
    },
    "key-unfit": {
        "zh": "Idempotency-Key 应为 1 到 200 个可见 ASCII 字符。",
        "en": "Idempotency-Key must be 1 to 200 visible ASCII characters.",
    },
    "key-reused": {
        "zh": "这个 Idempotency-Key 已经用于另一个请求。",
        "en": "This Idempotency-Key was used for another request.",
        "hint_zh": "每个新的操作用一个新的值。",
        "hint_en": "Use a new value for each new operation.",
    },
    "key-under-way": {
        "zh": "带这个 Idempotency-Key 的请求正在进行,或中途断了。",
        "en": "The request with this Idempotency-Key is under way, or was broken off in its middle.",
        "hint_zh": "等一会儿再用同一个值发送;若一直如此,先看看已经写入了什么,再用一个新的值。",
        "hint_en": "Wait and send it again with the same value; if that does not help, look at what it has written, and use a new value.",
    },
    "file-missing": {
        "zh": "请求里没有文件。",
        "en": "The request has no file.",
    },
    "form-broken": {
        "zh": "表单内容无法读取。",
        "en": "The form content cannot be read.",
    },
    "unavailable": {
        "zh": "系统暂时无法访问数据,请稍后再试。",
        "en": "The data cannot be reached at the moment; please try again shortly.",
    },
    "internal": {
        "zh": "系统出错了,已记录。请把编号 {id} 告诉管理员。",
        "en": "Something went wrong and has been recorded. Please give the number {id} to your administrator.",
    },
    "form-closed": {"zh": "这份表单已经关闭。", "en": "This form is closed."},
    "form-field-stranger": {
        "zh": "表单没有问「{name}」,这次提交没有保存。",
        "en": 'The form does not ask for "{name}"; nothing was saved.',
    },
    "form-slip-old": {
        "zh": "页面打开得太久了,请再按一次提交。",
        "en": "The page was open for too long. Please send it once more.",
    },
    "form-too-quick": {
        "zh": "提交得太快了,请核对后再按一次提交。",
        "en": "That was very quick. Look it over and send it once more.",
    },
    "form-trap": {
        "zh": "有一个看不见的空格被自动填写了,已为您清空,请再按一次提交。",
        "en": "A field that nobody sees was filled in automatically. It is empty again; please send it once more.",
    },
    "form-waiting": {
        "zh": "现在填写的人很多,请 {seconds} 秒后再按一次提交,您填的内容还在。",
        "en": "Many people are answering just now. Send it again in {seconds} seconds; what you typed is still here.",
    },
    "form-files-again": {
        "zh": "文件没有随表单保留,请重新选择「{label}」。",
        "en": 'Files are not kept with the form. Please choose "{label}" again.',
    },
    "form-consent": {"zh": "请先勾选同意。", "en": "Please agree first."},
}
