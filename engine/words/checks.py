"""Words of the checks that a definition must pass: names, forms, policies, processes, scores."""


def _unknown(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en, "hint_zh": "是否想写「{nearest}」?", "hint_en": 'Did you mean "{nearest}"?'}


WORDS = {
    # Names & references
    "unknown-entity": _unknown("没有实体「{name}」。", 'There is no entity "{name}".'),
    "unknown-role": _unknown("没有角色「{name}」。", 'There is no role "{name}".'),
    "unknown-stage": _unknown("{entity} 没有阶段「{name}」。", '{entity} has no stage "{name}".'),
    "unknown-kind": _unknown("没有阶段类别「{name}」。", 'There is no kind of stage "{name}".'),
    "unknown-section": _unknown("没有分区「{name}」。", 'There is no section "{name}".'),
    "unknown-transition": _unknown(
        "{entity} 的流程里没有流转「{name}」。", 'No process of {entity} has a transition "{name}".'
    ),
    "unknown-relation": _unknown("{entity} 没有相关记录「{name}」。", '{entity} has no related records "{name}".'),
    "unknown-slot": _unknown("{entity} 没有存放文件的字段「{name}」。", '{entity} has no field for files "{name}".'),
    "unknown-process": _unknown("{entity} 没有流程「{name}」。", '{entity} has no process "{name}".'),
    "unknown-team": _unknown("没有团队「{name}」。", 'There is no team "{name}".'),
    "unknown-person": _unknown("没有人员「{name}」。", 'There is no person "{name}".'),
    "template-hole": {
        "zh": "提示语里的 {{{name}}} 没有内容:只有 {{count}} 和 {{records}}。",
        "en": "{{{name}}} in these words has no value: there are only {{count}} and {{records}}.",
        "hint_zh": "是否想写 {{{nearest}}}?",
        "hint_en": "Did you mean {{{nearest}}}?",
    },
    "reserved-name": {
        "zh": "「{name}」已由系统使用。",
        "en": '"{name}" is taken by the engine.',
        "hint_zh": "换一个名字,如 {instead}。",
        "hint_en": "Choose another name, such as {instead}.",
    },
    "name-malformed": {
        "zh": "「{name}」不能作名字:名字由小写英文字母开头,只含小写字母、数字和下划线。",
        "en": '"{name}" cannot be a name: names begin with a lower-case letter and hold lower-case letters, digits and underscores.',
        "hint_zh": "中文写在 label 里。",
        "hint_en": "Write other scripts in the label.",
    },
    "name-too-long": {
        "zh": "「{name}」有 {length} 个字符,最多 {most} 个。",
        "en": '"{name}" has {length} characters; {most} is the most.',
        "hint_zh": "缩短名字,全称写在 label 里。",
        "hint_en": "Shorten it; write the full name in the label.",
    },
    "was-unresolved": {
        "zh": "「{name}」原名「{was}」,而「{was}」仍在使用,或已被别处认作原名。",
        "en": '"{name}" was "{was}", but "{was}" is still there, or claimed by another.',
        "hint_zh": "删去 was,或删去旧的那个。",
        "hint_en": "Delete was, or the old one.",
    },
    # Entities & fields
    "label-missing": {
        "zh": "{thing}「{name}」缺少{lacking}名称。",
        "en": 'The {thing} "{name}" lacks a label in {lacking}.',
        "hint_zh": "写 label: {{zh: …, en: …}}。",
        "hint_en": "Write label: {{zh: …, en: …}}.",
    },
    "title-missing": {
        "zh": "没有字段可以作 {entity} 记录的标题。",
        "en": "Nothing names a record of {entity}.",
        "hint_zh": "加一个文本字段,或用 title 指定一个字段。",
        "hint_en": "Add a text field, or name a field in title.",
    },
    "deletion-unspoken": {
        "zh": "没有说明所指的 {target} 被删除时「{field}」怎么办。",
        "en": 'Nothing says what becomes of "{field}" when its {target} is deleted.',
        "hint_zh": "写 on_delete: keep(保留),或 restrict、clear、cascade。",
        "hint_en": "Write on_delete: keep, or restrict, clear or cascade.",
    },
    "number-field": {
        "zh": "编号用到「{name}」,而{why}。",
        "en": 'The number uses "{name}", but {why}.',
        "hint_zh": "用必填字段,或有默认值的字段。",
        "hint_en": "Use a field that is required or has a default.",
    },
    "number-collides": {
        "zh": "编号会重复:流水号每期重新开始,而「{template}」缺少 {missing}。",
        "en": 'Numbers will repeat: the sequence starts anew each period, and "{template}" lacks {missing}.',
        "hint_zh": "加上 {missing}。",
        "hint_en": "Add {missing}.",
    },
    "relation-broken": {
        "zh": "「{name}」用在这里不合适:{why}。",
        "en": '"{name}" does not fit here: {why}.',
    },
    "unique-too-long": {
        "zh": "共同唯一的文本({fields})合起来最多 {most} 个字,现在可达 {length} 个。",
        "en": "Texts that are unique together ({fields}) may have {most} characters in all, not {length}.",
        "hint_zh": "用 max 限定它们的长度,如 max: 200。",
        "hint_en": "Limit their lengths with max, such as max: 200.",
    },
    "writes-computed": {
        "zh": "「{field}」由系统计算或编号,不能由规则写入。",
        "en": '"{field}" is computed or numbered by the engine; no rule can write it.',
        "hint_zh": "改写它的来源字段。",
        "hint_en": "Write a field that it is computed from.",
    },
    # Types & expressions
    "formula-cycle": {
        "zh": "「{field}」的值取决于它自己:{ring}。",
        "en": '"{field}" depends on itself: {ring}.',
        "hint_zh": "断开其中一环。",
        "hint_en": "Cut one link of the ring.",
    },
    "stored-volatile": {
        "zh": "「{field}」随时间或查看的人而变,不能用 {setting} 存下来。",
        "en": '"{field}" changes with time or reader; it cannot be stored for {setting}.',
        "hint_zh": "删去 {setting}:这样的值在读取时计算。",
        "hint_en": "Delete {setting}: such values are computed when they are read.",
    },
    "always-false": {
        "zh": "没有 {entity} 满足这个条件:{why}。",
        "en": "No {entity} meets this condition: {why}.",
    },
    "always-true": {
        "zh": "每个 {entity} 都满足这个条件。",
        "en": "Every {entity} meets this condition.",
        "hint_zh": "删去它。",
        "hint_en": "Delete it.",
    },
    "branch-dead": {
        "zh": "有一个分支永远走不到:{condition},而前面的条件或取值范围已排除它。",
        "en": "One branch is never reached: {condition}, which earlier conditions or bounds exclude.",
        "hint_zh": "删去这个分支,或调整顺序。",
        "hint_en": "Delete the branch, or change the order.",
    },
    "not-in-sql": {
        "zh": "「{field}」无法在数据库里计算:它在读取时才计算,而所用的字段也是如此,层层嵌套太多。",
        "en": '"{field}" cannot be computed in the database: it is computed on reading out of fields that are, too deep or too long.',
        "hint_zh": "直接用存下来的字段写这个公式。",
        "hint_en": "Write the formula from fields that are stored.",
    },
    "date-equality": {
        "zh": "时刻不会恰好等于现在:这个比较没有记录满足。",
        "en": "No instant is ever equal to the present one: the comparison never holds.",
        "hint_zh": "比较日期,如 date(…) == today(),或用 <、>=。",
        "hint_en": "Compare days, such as date(…) == today(), or use < and >=.",
    },
    "rules-clash": {
        "zh": "没有 {entity} 能保存:{pair} 不能同时满足。",
        "en": "No {entity} can be saved: {pair} cannot hold together.",
        "hint_zh": "放宽其中一条。",
        "hint_en": "Relax one of them.",
    },
    # Forms & views
    "required-unfillable": {
        "zh": "「{field}」必填,但{why}:这样的 {entity} 无法新建。",
        "en": '"{field}" is required, but {why}: such a {entity} cannot be created.',
        "hint_zh": "给它默认值、放到表单上,或授予填写权。",
        "hint_en": "Give it a default, put it on the form, or grant it.",
    },
    "required-while-hidden": {
        "zh": "「{field}」必填,但{when}不显示:这样的{entity}无法保存。",
        "en": '"{field}" is required, but hidden {when}: such a {entity} cannot be saved.',
        "hint_zh": "改为 required_when: {condition}。",
        "hint_en": "Write required_when: {condition}.",
    },
    "never-visible": {
        "zh": "「{field}」永远不会显示:它的条件与分区「{section}」的条件不能同时成立。",
        "en": '"{field}" never shows: its condition and that of the section "{section}" exclude each other.',
        "hint_zh": "放宽其中一个条件,或删去这个字段。",
        "hint_en": "Widen one of the conditions, or delete the field.",
    },
    "visibility-cycle": {
        "zh": "{fields} 互相等待对方显示,谁也不会显示。",
        "en": "{fields} wait for each other to show; none ever does.",
        "hint_zh": "去掉其中一个 visible_when。",
        "hint_en": "Delete one visible_when.",
    },
    "view-unfit": {
        "zh": "「{field}」是 {type},{does}。",
        "en": '"{field}" is {type} and {does}.',
    },
    "aggregate-senseless": {
        "zh": "「{field}」是百分比,合计没有意义。",
        "en": '"{field}" is a percentage; its sum says nothing.',
        "hint_zh": "合计它的分子和分母,或换一个字段。",
        "hint_en": "Sum what it is a share of, or another field.",
    },
    "view-unopenable": {
        "zh": "没有人能打开「{view}」:{roles} 不能查看 {entity}。",
        "en": 'Nobody can open "{view}": {roles} may not read {entity}.',
        "hint_zh": "授予 read,或改 roles。",
        "hint_en": "Grant read, or change roles.",
    },
    "part-in-menu": {
        "zh": "「{entity}」在上级记录的页面里维护,不会出现在菜单中。",
        "en": '"{entity}" is edited on the page of what it belongs to and has no entry in the menu.',
        "hint_zh": "从菜单中删去。",
        "hint_en": "Delete it from the menu.",
    },
    # Homes
    "card-source": {
        "zh": "卡片{why}。",
        "en": "The card {why}.",
        "hint_zh": "写上 view 或 entity 之一。",
        "hint_en": "Name a view or an entity, one of them.",
    },
    "card-unfit": {
        "zh": "「{field}」是 {type},{does}。",
        "en": '"{field}" is {type} and {does}.',
    },
    "card-idle": {
        "zh": "「{name}」在这里不起作用:{why}。",
        "en": '"{name}" does nothing here: {why}.',
        "hint_zh": "补上缺的键,或删去它。",
        "hint_en": "Add the key that is missing, or delete this one.",
    },
    "card-unseen": {
        "zh": "没有人看得到卡片「{card}」:{roles} 不能查看 {what}。",
        "en": 'Nobody sees the card "{card}": {roles} may not see {what}.',
        "hint_zh": "授予权限,或改 for、换一个视图。",
        "hint_en": "Grant it, change for, or take another view.",
    },
    "brief-empty": {
        "zh": "速览「{brief}」什么也不显示。",
        "en": 'The brief "{brief}" shows nothing.',
        "hint_zh": "写上 text、fields、lists、notices 或 gate。",
        "hint_en": "Give it a text, fields, lists, notices or a gate.",
    },
    "brief-unfit": {
        "zh": "「{name}」不能放在速览里:它{why}。",
        "en": '"{name}" cannot stand in a brief: it {why}.',
        "hint_zh": "写记录自己的字段,或隔一层引用的字段(如 site.phone);相关记录写在 lists 里。",
        "hint_en": "Name a field of the record or of one that it links to (site.phone); collections stand in lists.",
    },
    "brief-idle": {
        "zh": "「{name}」在这里不起作用:{why}。",
        "en": '"{name}" does nothing here: {why}.',
        "hint_zh": "删去它。",
        "hint_en": "Delete it.",
    },
    "home-unreached": {
        "zh": "没有人会打开首页「{home}」:前面的「{earlier}」总是先合适。",
        "en": 'Nobody ever gets the home "{home}": "{earlier}" before it always fits first.',
        "hint_zh": "把它移到前面。",
        "hint_en": "Move it before that one.",
    },
    "shown-twice": {
        "zh": "「{name}」在这里出现了两次。",
        "en": '"{name}" stands here twice.',
        "hint_zh": "删去一处。",
        "hint_en": "Delete one.",
    },
    "lookup-unreadable": {
        "zh": "{roles} 要选「{field}」,却看不到任何 {target}。",
        "en": '{roles} choose "{field}", but may read no {target}.',
        "hint_zh": "授予 {target} 的 read,或对他们隐藏这个字段。",
        "hint_en": "Grant read on {target}, or hide the field from them.",
    },
    # Policies
    "role-cycle": {
        "zh": "角色互相包含:{ring}。",
        "en": "Roles include each other: {ring}.",
        "hint_zh": "断开其中一环。",
        "hint_en": "Cut one link of the ring.",
    },
    "rows-wide-open": {
        "zh": "每个角色都能修改所有 {entity},不论「{owner}」是谁。",
        "en": 'Every role may change every {entity}, whoever its "{owner}" is.',
        "hint_zh": "把可写的行限制为 write: {clause}。",
        "hint_en": "Restrict what may be written: write: {clause}.",
    },
    "policy-redundant": {
        "zh": "「{role}」对 {entity} 的这些权限,已由它包含的「{other}」给出。",
        "en": '"{role}" has these rights on {entity} already, from "{other}", which it includes.',
        "hint_zh": "删去它。",
        "hint_en": "Delete it.",
    },
    "clause-wider": {
        "zh": "「{role}」能看到每个 {entity},却看不到它所属的 {parent}。",
        "en": '"{role}" sees every {entity}, but not the {parent} that it belongs to.',
        "hint_zh": "按 {parent} 的范围收紧 rows,或删去这条权限,随 {parent} 而定。",
        "hint_en": "Narrow the rows as those of {parent}, or delete the policy so that {parent} decides.",
    },
    "creates-unseen": {
        "zh": "「{role}」能新建 {entity},建完却看不到:「{field}」起初为空。",
        "en": '"{role}" may create a {entity}, but not see it afterwards: "{field}" starts empty.',
        "hint_zh": "给「{field}」加 default: user。",
        "hint_en": 'Add default: user to "{field}".',
    },
    "action-powerless": {
        "zh": "「{role}」对 {entity} 的 {action} 永远不能成功:{why}。",
        "en": '{action} on {entity} can never succeed for "{role}": {why}.',
        "hint_zh": "补上所缺的,或删去它。",
        "hint_en": "Add what is lacking, or delete it.",
    },
    "hidden-field-leaks": {
        "zh": "「{field}」对 {roles} 隐藏,{by}却会透露它。",
        "en": '"{field}" is hidden from {roles}, yet {by} gives it away.',
        "hint_zh": "换一个字段,或不再隐藏它。",
        "hint_en": "Use another field, or stop hiding it.",
    },
    "duties-joined": {
        "zh": "「{holder}」同时有「{one}」和「{other}」,而这两个角色必须分开。",
        "en": '"{holder}" has both "{one}" and "{other}", which are to be kept apart.',
        "hint_zh": "去掉其中一个,或改 apart。",
        "hint_en": "Take one of them away, or change apart.",
    },
    # Processes & gates
    "start-missing": {
        "zh": "流程「{process}」没有唯一的起点:{why}。",
        "en": 'The process "{process}" has no single start: {why}.',
        "hint_zh": "只给一个阶段标 start: true。",
        "hint_en": "Mark one stage with start: true.",
    },
    "stage-unreachable": {
        "zh": "从「{start}」没有路通到「{stage}」。",
        "en": 'No way leads from "{start}" to "{stage}".',
        "hint_zh": "加一条通向它的流转,或删去这个阶段。",
        "hint_en": "Add a transition to it, or delete the stage.",
    },
    "stage-dead-end": {
        "zh": "「{stage}」没有出路,又不是终点。",
        "en": 'There is no way out of "{stage}", and it is no end.',
        "hint_zh": "加一条流转,或标 end: done。",
        "hint_en": "Add a transition, or mark it with end: done.",
    },
    "end-unreachable": {
        "zh": "从 {stages} 走不到任何终点({ends})。",
        "en": "From {stages}, no end is ever reached ({ends}).",
        "hint_zh": "加一条走出去的流转。",
        "hint_en": "Add a transition that leads out.",
    },
    "stage-stuck": {
        "zh": "{record} 的 {entity} 停在「{stage}」,无路可走。",
        "en": 'A {entity} with {record} is stuck in "{stage}": no way out takes it.',
        "hint_zh": "{cure}。",
        "hint_en": "{cure}.",
    },
    "gate-unsatisfiable": {
        "zh": "没有 {entity} 能{does}「{stage}」:{why}。",
        "en": 'No {entity} can {does} "{stage}": {why}.',
        "hint_zh": "{cure}",
        "hint_en": "{cure}",
    },
    "gate-idle": {
        "zh": "「{stage}」的这个门槛拦不住任何 {entity}。",
        "en": 'This gate of "{stage}" stops no {entity}.',
        "hint_zh": "删去它,或改成真正的条件。",
        "hint_en": "Delete it, or make it a condition.",
    },
    "return-nowhere": {
        "zh": "「{transition}」是退回,目标「{to}」却在「{origin}」之后。",
        "en": '"{transition}" is a return, but "{to}" comes after "{origin}".',
        "hint_zh": "退回到更早的阶段,或去掉 direction: return。",
        "hint_en": "Return to an earlier stage, or delete direction: return.",
    },
    "gates-clash": {
        "zh": "「{stage}」的出口和「{to}」的入口互相矛盾:{pair} 不能同时满足。",
        "en": 'The exit of "{stage}" and the entry of "{to}" contradict: {pair} cannot hold together.',
        "hint_zh": "放宽其中一个。",
        "hint_en": "Relax one of them.",
    },
    "gate-late": {
        "zh": "「{stage}」的门槛要「{need}」,而它要到 {later} 才会填上。",
        "en": 'The gate of "{stage}" needs "{need}", which only {later} fills.',
        "hint_zh": "把门槛后移,或让人提前填写。",
        "hint_en": "Move the gate, or let people fill it earlier.",
    },
    "gate-locked": {
        "zh": "没有人能让 {entity} 通过「{stage}」的门槛:要「{need}」,而{why}。",
        "en": 'Nobody can bring a {entity} through the gate of "{stage}": it needs "{need}", but {why}.',
        "hint_zh": "授予某个角色,或去掉这一要求。",
        "hint_en": "Grant it to a role, or drop the need.",
    },
    "gate-starved": {
        "zh": "「{stage}」的门槛要 {count} 份「{need}」,而它{limit}。",
        "en": 'The gate of "{stage}" asks for {count} of "{need}", which holds {limit}.',
        "hint_zh": "调低要求,或放宽字段。",
        "hint_en": "Ask for less, or let the field hold more.",
    },
    "gate-bypassed": {
        "zh": "「{transition}」直达「{to}」,绕过了 {stages} 的门槛。",
        "en": '"{transition}" leads straight to "{to}", around the gate of {stages}.',
        "hint_zh": "在「{to}」的 entry 里重复要求,或给这条流转加条件。",
        "hint_en": 'Repeat the needs in the entry of "{to}", or give the transition a condition.',
    },
    "transition-nobody": {
        "zh": "除管理员外,没有人能做「{transition}」:{why}。",
        "en": 'Nobody but administrators can do "{transition}": {why}.',
        "hint_zh": "{cure}。",
        "hint_en": "{cure}.",
    },
    "processes-overlap": {
        "zh": "同一个 {entity} 会同时符合「{one}」和「{two}」{witness_words}。",
        "en": 'A {entity} can fit both "{one}" and "{two}"{witness_words}.',
        "hint_zh": "收紧其中一个 when。",
        "hint_en": "Narrow one of the two when.",
    },
    # Scores & rules
    "score-field": {
        "zh": "评分字段「{field}」不对:{why}。",
        "en": 'The score field "{field}" is wrong: {why}.',
        "hint_zh": "每个评分写入一个 {{type: score}} 字段。",
        "hint_en": "Each score writes one field of {{type: score}}.",
    },
    "weights-off": {
        "zh": "满分是 {sum},不是 100。",
        "en": "The best score is {sum}, not 100.",
        "hint_zh": "调整 weight 或 base,使基数与正权重之和为 100。",
        "hint_en": "Scale the weights, or the base, so that base and positive weights sum to 100.",
    },
    "term-outside": {
        "zh": "「{term}」的值会超出 0 到 1:在 {low} 与 {high} 之间。",
        "en": '"{term}" leaves 0 to 1: it lies between {low} and {high}.',
        "hint_zh": "除以最大值,或用 clamp(…, 0, 1)。",
        "hint_en": "Divide by the greatest value, or use clamp(…, 0, 1).",
    },
    "band-broken": {
        "zh": "「{range}」不是得分范围。",
        "en": '"{range}" is no range of scores.',
        "hint_zh": "写 >= 75、< 40,或 >= 40 and < 75。",
        "hint_en": "Write >= 75, < 40, or >= 40 and < 75.",
    },
    "band-gap": {
        "zh": "得分 {score} 不属于任何档。",
        "en": "A score of {score} falls in no band.",
        "hint_zh": "把「{band}」改为 {instead}。",
        "hint_en": 'Write {instead} in "{band}".',
    },
    "band-overlap": {
        "zh": "得分 {score} 同时属于「{one}」和「{two}」。",
        "en": 'A score of {score} falls in both "{one}" and "{two}".',
        "hint_zh": "收紧其中一档。",
        "hint_en": "Narrow one of them.",
    },
    "band-unreachable": {
        "zh": "没有评分项能达到「{band}」档:得分只在 {low} 与 {high} 之间。",
        "en": 'No terms reach the band "{band}": scores lie between {low} and {high}.',
        "hint_zh": "调整 weight,或删去这一档。",
        "hint_en": "Change the weights, or delete the band.",
    },
    "threshold-unreachable": {
        "zh": "没有两个 {entity} 会被认作重复:权重合计 {sum},低于 {at_least}。",
        "en": "No two {entity} records ever count as duplicates: the weights sum to {sum}, below {at_least}.",
        "hint_zh": "调高权重,或降低 at_least。",
        "hint_en": "Raise the weights, or lower at_least.",
    },
    # Package
    "secret-in-text": {
        "zh": "「{text}」看来是密钥、令牌或密码,不能写在应用定义里。",
        "en": '"{text}" looks like a key, a token or a password; none belongs in a definition.',
        "hint_zh": "删去它并更换这个密钥:看过文件的人都已知道。密钥放在环境变量里。",
        "hint_en": "Delete it and replace the key: whoever has seen the file knows it. Keys belong in the environment.",
    },
    "sample-refused": {
        "zh": "示例数据里的「{text}」不符合「{field}」自身的要求。",
        "en": 'The sample value "{text}" is refused by "{field}" itself.',
        "hint_zh": "换一个字段接受的值。",
        "hint_en": "Write a value that the field takes.",
    },
    "calendar-ends": {
        "zh": "工作时间要算到 {until} 之后,而那里的节假日尚未公布:周一到周五都会算作工作日。",
        "en": "Working time is counted beyond {until}, where no holidays are announced: every Monday to Friday would be worked.",
        "hint_zh": "缩短期限,或改用 d、weeks。",
        "hint_en": "Shorten it, or use d or weeks.",
    },
    "allow-idle": {
        "zh": "allow 里的「{name}」没有对应的警告。",
        "en": '"{code}" in allow silences nothing.',
        "hint_zh": "删去它。",
        "hint_en": "Delete it.",
    },
    "calendar-broken": {
        "zh": "工作日历的「{text}」不对:{why}。",
        "en": '"{text}" of the calendar is wrong: {why}.',
    },
    "unused-thing": {
        "zh": "没有任何地方用到{thing}「{name}」。",
        "en": 'Nothing uses the {thing} "{name}".',
        "hint_zh": "删去它。",
        "hint_en": "Delete it.",
    },
    # Forms that everybody may answer
    "public-field-closed": {
        "zh": "公开表单不能问「{field}」:{why}。",
        "en": 'A public form cannot ask for "{field}": {why}.',
        "hint_zh": "从表单里去掉它;要由系统写入的值放在 fill 里。",
        "hint_en": "Take it off the form; what the server is to write stands in fill.",
    },
    "public-form-unsaveable": {
        "zh": "经「{way}」来的答案存不下:{entity}的「{field}」必填,而表单没有问它,也没有填它。",
        "en": 'Answers by "{way}" cannot be saved: {entity} needs "{field}", which the form neither asks nor fills.',
        "hint_zh": "在表单里加上 {name},或写 fill: {{{name}: …}}。",
        "hint_en": "Ask for {name} on the form, or write fill: {{{name}: …}}.",
    },
    "public-fill-unfit": {
        "zh": "fill 不能给「{field}」写入「{text}」:{why}。",
        "en": 'fill cannot write "{text}" to "{field}": {why}.',
        "hint_zh": "写一个字段接受的值;fill 写的是值,不是表达式。",
        "hint_en": "Write a value that the field takes; fill holds values, not expressions.",
    },
    "public-not-asked": {
        "zh": "表单没有问「{field}」。",
        "en": 'The form does not ask for "{field}".',
        "hint_zh": "把 {name} 放进一个分区,或在这里删去它。",
        "hint_en": "Put {name} into a section, or delete it here.",
    },
    "public-reveals": {
        "zh": "公开表单会泄露谁已在库中:{fields} 重复的答案会被拒绝。",
        "en": "The public form tells who is known already: an answer that repeats {fields} is refused.",
        "hint_zh": "改用 duplicates 并写 then: flag(照常存下,由人确认),或不在表单里问。",
        "hint_en": "Use duplicates with then: flag (saved, and confirmed by a person), or do not ask for it.",
    },
    "public-gate": {
        "zh": "「{field}」是阶段「{stage}」的门槛,在公开表单上却由外人填写。",
        "en": 'The stage "{stage}" asks for "{field}", which a stranger would fill on the public form.',
        "hint_zh": "另设一个字段给外人填,由同事核对后再填门槛字段。",
        "hint_en": "Let strangers fill another field, which somebody checks before filling this one.",
    },
    "public-files-loose": {
        "zh": "任何人都能往「{field}」传文件,而它没有限定类型,或单个文件可超过 {most}。",
        "en": 'Anybody may send files to "{field}", which takes every kind, or files of more than {most}.',
        "hint_zh": "写 accept: [pdf, jpg] 和 max_size: 10 MB。",
        "hint_en": "Write accept: [pdf, jpg] and max_size: 10 MB.",
    },
    "public-color-pale": {
        "zh": "颜色 {color} 太浅:白字只有 {ratio}:1 的对比度,至少要 4.5:1。",
        "en": "The colour {color} is too pale: white words on it have a contrast of {ratio}:1; 4.5:1 is needed.",
        "hint_zh": "用同色系里够深的 {nearest}。",
        "hint_en": "Use {nearest}, the nearest shade that is dark enough.",
    },
    "public-not-inside": {
        "zh": "公开表单不用 {name}:它只有一页,给所有人,内部没有人用。",
        "en": "A public form has no {name}: it is one page for everybody, and nobody inside gets it.",
        "hint_zh": "删去 {name},或另写一张内部表单。",
        "hint_en": "Delete {name}, or write another form for inside.",
    },
}
