"""A picture of a process, drawn from its definition: Mermaid text for documents, SVG for pages.

Stages stand in a row in the order in which a record can first reach them; ends stand in the last column, good ones above.
Ways forward run straight or in an arc above, ways back in an arc below.  A small mark on a way says that a gate stands there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

import networkx as nx

from engine.workflows.process import ProcessApp, TransitionApp

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 132, 52, 56, 28, 24
ARC = 34


def graph_of(process: ProcessApp) -> "nx.MultiDiGraph[str]":
    """Stages as nodes, each with its `stage`; transitions as edges keyed by name, each with its `transition`."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for name, stage in process.stages.items():
        graph.add_node(name, stage=stage)
    for transition in process.transitions.values():
        for origin in transition.origins:
            graph.add_edge(origin, transition.to, key=transition.name, transition=transition)
    return graph


def mermaid(process: ProcessApp, language: Literal["zh", "en"] = "zh") -> str:
    """A Mermaid flowchart. Dotted ways lead back; a way with a gate is labelled with how much it asks."""
    lines = ["flowchart LR"]
    for name, stage in process.stages.items():
        label = stage.label[language].replace('"', "#quot;")
        shape = f'(["{label}"])' if stage.definition.end else f'["{label}"]'
        lines.append(f"  {name}{shape}")
    for transition in process.transitions.values():
        for origin in transition.origins:
            asked = len(process.requirements(transition, origin))
            label = _way(transition, process, asked, language).replace('"', "#quot;")
            arrow = "-.->" if transition.direction == "return" else "-->"
            lines.append(f"  {origin} {arrow}" + (f'|"{label}"|' if label else "") + f" {transition.to}")
    ends = [name for name, stage in process.stages.items() if stage.definition.end in ("won", "done")]
    lost = [name for name, stage in process.stages.items() if stage.failed]
    lines += ["  classDef good fill:#e7f5ef,stroke:#239a6c", "  classDef bad fill:#fdeeec,stroke:#d3423b"]
    lines += [f"  class {','.join(names)} {kind}" for names, kind in ((ends, "good"), (lost, "bad")) if names]
    return "\n".join(lines) + "\n"


def _way(transition: TransitionApp, process: ProcessApp, asked: int, language: str) -> str:
    label = transition.label[language]
    named = "" if label == process.stages[transition.to].label[language] else label
    gate = (f"门槛 {asked} 项" if language == "zh" else f"gate: {asked}") if asked else ""
    return " · ".join(part for part in (named, gate) if part)


@dataclass(frozen=True)
class _Spot:
    x: int
    y: int


def _spots(process: ProcessApp) -> dict[str, _Spot]:
    """Where each stage stands: by the length of the shortest way forward from the start; stages of one length in file order."""
    forward: nx.DiGraph[str] = nx.DiGraph()
    forward.add_nodes_from(process.stages)
    ends = [name for name, stage in process.stages.items() if stage.definition.end]
    for transition in process.transitions.values():
        if transition.direction == "forward" and transition.to not in ends:
            forward.add_edges_from((origin, transition.to) for origin in transition.origins)
    reached = nx.single_source_shortest_path_length(forward, process.start)
    last = max((length for name, length in reached.items() if name not in ends), default=0)
    columns: dict[int, list[str]] = {}
    for name in process.stages:
        columns.setdefault(last + 1 if name in ends else reached.get(name, last), []).append(name)
    spots = {}
    for column, names in columns.items():
        for row, name in enumerate(sorted(names, key=lambda each: process.stages[each].failed)):
            spots[name] = _Spot(MARGIN + column * (WIDTH + GAP_X), row * (HEIGHT + GAP_Y))
    return spots


def svg(
    process: ProcessApp,
    language: Literal["zh", "en"] = "zh",
    counts: Mapping[str, int] | None = None,
    here: str | None = None,
) -> str:
    """An SVG of its own colours, readable without a style sheet. `counts` are records by stage, `here` the stage to point out."""
    spots = _spots(process)
    back = sum(1 for each in process.transitions.values() if each.direction == "return")
    top = MARGIN + (ARC * 2 if _arched(process, spots) else 0)
    width = max(spot.x for spot in spots.values()) + WIDTH + MARGIN
    height = (
        top + max(spot.y for spot in spots.values()) + HEIGHT + MARGIN + (ARC * 2 + 8 * min(back, 6) if back else 0)
    )
    title = escape(process.label[language])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        '<defs><marker id="dg-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
        '<path d="M0 0 8 4 0 8z" fill="#616b78"/></marker></defs>',
    ]
    parts += _ways(process, spots, top, language)
    for name, stage in process.stages.items():
        spot = spots[name]
        fill, line = (
            ("#e7f5ef", "#239a6c")
            if stage.definition.end in ("won", "done")
            else ("#fdeeec", "#d3423b")
            if stage.failed
            else ("#ffffff", "#8a94a1")
        )
        if name == here:
            fill, line = "#e9f1fb", "#1f62b5"
        y = top + spot.y
        parts.append(
            f'<rect x="{spot.x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{line}"/>'
        )
        note = str(counts[name]) if counts and name in counts else (stage.definition.limit or "")
        lines: Iterable[tuple[int, str, str]] = [(y + (22 if note else 31), "600", stage.label[language])]
        lines = [*lines, (y + 40, "400", str(note))] if note else lines
        for at, weight, text in lines:
            size, ink = (14, "#1a1f26") if weight == "600" else (12, "#616b78")
            parts.append(
                f'<text x="{spot.x + WIDTH // 2}" y="{at}" text-anchor="middle" font-family="system-ui,sans-serif" font-size="{size}" '
                f'font-weight="{weight}" fill="{ink}">{escape(text)}</text>'
            )
    return "".join([*parts, "</svg>"])


def _arched(process: ProcessApp, spots: Mapping[str, _Spot]) -> bool:
    """Whether a way forward leaps over a stage, and so needs room above."""
    leaps = (
        spots[each.to].x - spots[origin].x != WIDTH + GAP_X
        for each in process.transitions.values()
        if each.direction != "return" and spots[each.to].y == 0
        for origin in each.origins
    )
    return any(leaps)


def _ways(process: ProcessApp, spots: Mapping[str, _Spot], top: int, language: str) -> list[str]:
    parts: list[str] = []
    depth = max((spot.y for spot in spots.values()), default=0) + HEIGHT
    for transition in process.transitions.values():
        for origin in transition.origins:
            a, b = spots[origin], spots[transition.to]
            title = escape(
                _way(transition, process, len(process.requirements(transition, origin)), language)
                or transition.label[language]
            )
            if transition.direction == "return":
                reach = min(ARC + abs(a.x - b.x) // 6, ARC * 2 + 40)
                y = top + depth if a.y == b.y == 0 else top + max(a.y, b.y) + HEIGHT
                path = f"M{a.x + WIDTH // 2 - 10} {top + a.y + HEIGHT}C{a.x + WIDTH // 2 - 10} {y + reach} {b.x + WIDTH // 2 + 10} {y + reach} {b.x + WIDTH // 2 + 10} {top + b.y + HEIGHT}"
                dash = ' stroke-dasharray="4 4"'
            elif b.x - a.x == WIDTH + GAP_X and a.y == b.y:
                path, dash = f"M{a.x + WIDTH} {top + a.y + HEIGHT // 2}H{b.x}", ""
            elif b.y > 0:
                path = f"M{a.x + WIDTH // 2 + 16} {top + a.y + HEIGHT}C{a.x + WIDTH // 2 + 16} {top + b.y + HEIGHT // 2} {b.x - GAP_X} {top + b.y + HEIGHT // 2} {b.x} {top + b.y + HEIGHT // 2}"
                dash = ""
            else:
                reach = min(ARC + abs(a.x - b.x) // 8, ARC * 2 + 16)
                path = f"M{a.x + WIDTH // 2} {top + a.y}C{a.x + WIDTH // 2} {top + a.y - reach} {b.x + WIDTH // 2} {top + b.y - reach} {b.x + WIDTH // 2} {top + b.y}"
                dash = ""
            parts.append(
                f'<path d="{path}" fill="none" stroke="#616b78"{dash} marker-end="url(#dg-arrow)"><title>{title}</title></path>'
            )
            if not dash and process.requirements(transition, origin) and b.x - a.x == WIDTH + GAP_X and a.y == b.y:
                parts.append(_gate(a.x + WIDTH + GAP_X // 2 - 8, top + a.y + HEIGHT // 2 - 8, title))
    return parts


def _gate(x: int, y: int, title: str) -> str:
    """The paifang, the sign of a gate."""
    return (
        f'<g transform="translate({x} {y})" fill="none" stroke="#1b5cad" stroke-width="1.5" stroke-linecap="round"><title>{title}</title>'
        '<rect x="-2" y="-2" width="20" height="20" rx="10" fill="#fff" stroke="#b5cdea"/><path d="M2 4h12M3 8h10M5 4v9M11 4v9"/></g>'
    )
