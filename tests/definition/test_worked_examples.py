"""The examples by which the wording of problems was designed; golden files hold the words, Chinese then English.

A snippet stands alone in `x.yaml`.  What it does not show is present and correct: `rest` is laid under it.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import yaml

from engine.definition import load
from engine.definition.render import body, heading


class Example(NamedTuple):
    snippet: str
    rest: str = ""


# People who may do everything else, so that only the point of the example is left.
CLERK = "roles: {clerk: {}}\n"
EXAMPLES = {
    "fullwidth-sign": Example("""\
entities:
  quote:
    label：报价
    fields: {amount: money}
"""),
    "unknown-field": Example(
        """\
views:
  hot:
    entity: opportunity
    where: "descision_makers >= 2"
""",
        "entities: {opportunity: {fields: {name: text, decision_makers: integer}}}",
    ),
    "required-while-hidden": Example(
        """\
entities:
  contract:
    label: {zh: 合同, en: Contract}
    fields:
      custom: {type: boolean, label: {zh: 定制, en: Custom}}
      vi: {type: file, label: {zh: VI稿, en: VI file}, required: true, visible_when: custom}
""",
        "entities: {contract: {fields: {name: text}}}",
    ),
    "creates-unseen": Example(
        """\
entities: {lead: {fields: {owner: user}}}
policies:
  rep:
    lead: {rows: "owner == user", actions: [read, create]}
""",
        "entities: {lead: {fields: {name: text}}}\nroles: {rep: {}}",
    ),
    "gate-unsatisfiable": Example(
        """\
entities: {quote: {fields: {amount: money, capped: {type: money, formula: "min(amount, 50000)"}}}}
processes:
  quoting:
    entity: quote
    stages: {draft: {exit: {when: "capped >= 60000"}}}
""",
        "entities: {quote: {fields: {name: text}}}\nprocesses: {quoting: {stages: {done: {end: done}}}}",
    ),
    "stage-stuck": Example(
        """\
entities: {quote: {fields: {amount: {type: money, required: true}}}}
processes:
  review:
    entity: quote
    transitions: {small: {from: draft, to: won, when: "amount < 50000"},
                  large: {from: draft, to: board, when: "amount > 50000"}}
""",
        "entities: {quote: {fields: {name: text}}}\n"
        "processes: {review: {stages: {draft: {}, board: {}, won: {end: won}}, transitions: {approve: {from: board, to: won}}}}",
    ),
    "transition-nobody": Example(
        """\
roles: {rep: {label: {zh: 销售, en: Rep}}, legal: {label: {zh: 法务, en: Legal}}}
policies: {rep: {contract: {rows: "true", actions: [read, transition]}}}
processes:
  signing:
    entity: contract
    transitions: {sign: {from: drafted, to: signed, by: [legal]}}
""",
        "entities: {contract: {fields: {name: text}}}\nprocesses: {signing: {stages: {drafted: {}, signed: {end: done}}}}",
    ),
    "band-gap": Example(
        """\
scores:
  lead_health:
    entity: lead
    field: health
    bands: {gold: ">= 75", normal: "> 40", nurture: "< 40"}
""",
        "entities: {lead: {fields: {name: text, warm: boolean, health: score}}}\n"
        "scores: {lead_health: {terms: {warm: {weight: 100, value: 1 if warm else 0}}}}",
    ),
}


def files(example: Example) -> dict[str, str]:
    """The snippet as the root, completed by a preset that is laid over it: positions in the snippet stay as they are."""
    if not example.rest:
        return {"x.yaml": example.snippet}
    head = "app: demo\nversion: 1.0.0\nlabel: {zh: 演示, en: Demo}\nallow: {label-missing: the snippet is short, unused-thing: likewise}\n"
    shown = yaml.safe_load(example.snippet)
    missing = "" if "entities" in shown else "entities: {}\n"
    return {
        "x.yaml": example.snippet + head + missing + "presets: {rest: {label: x, file: rest.yaml}}\npreset: rest\n",
        "rest.yaml": example.rest,
    }


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_worked_example_reads_as_designed(code: str, golden: Callable[[str, str], None]) -> None:
    problems = [p for p in load(files(EXAMPLES[code]), root="x.yaml").problems if p.code not in ("allow-idle",)]
    golden(f"problems/{code}.txt", "".join(heading(p) + body(p, "zh") + body(p, "en") for p in problems))
