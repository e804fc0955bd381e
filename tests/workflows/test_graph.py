"""The picture of a process, as files that people can look at."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from engine.app import compile_app
from engine.definition import load
from engine.workflows.graph import graph_of, mermaid, svg

WORKS = Path(__file__).parents[1] / "runtime" / "works.yaml"
REPAIR = compile_app(load(WORKS)).processes["repair"]


def test_a_process_is_drawn_for_documents_and_for_pages(golden: Callable[[str, str], None]) -> None:
    golden("graph/repair.mmd", mermaid(REPAIR, "zh"))
    golden("graph/repair.svg", svg(REPAIR, "en", counts={"received": 3, "working": 12}, here="working") + "\n")


def test_the_picture_is_well_formed_and_names_every_stage() -> None:
    tree = ElementTree.fromstring(svg(REPAIR, "zh"))
    texts = {each.text for each in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"接单", "维修中", "完工", "拒修"} <= texts


def test_the_graph_has_the_stages_and_the_ways_between_them() -> None:
    graph = graph_of(REPAIR)
    assert set(graph.nodes) == {"received", "working", "done", "refused"}
    assert graph.has_edge("working", "received", key="back")
    assert not graph.has_edge("received", "done")
