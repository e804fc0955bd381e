"""The commands that pages show, read as a shell would read them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
_BLOCK = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language, in order."""
    return [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def lines(page: Path) -> list[list[str]]:
    """The command lines of a page, split into words; lines that go on are joined, comments are dropped."""
    found = []
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and (re.match(r"[A-Z_]+=", words[0]) or words[0] == "export"):
                words = words[1:]
            if words:
                found.append(words)
    return found
