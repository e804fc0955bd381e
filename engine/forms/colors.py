"""Whether a colour can be read: contrast as WCAG 2 measures it, and the nearest shade of a colour that has enough.

Colours are `#rrggbb`.  A form's colour fills buttons with white words and is the colour of links on white paper; on dark
paper a lighter shade of it stands for it.
"""

WHITE = "#ffffff"
DARK = "#161a20"  # the dark paper of the pages
ENOUGH = 4.5  # of text to its ground


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(color: str, ground: str = WHITE) -> str:
    """The colour itself if it can be read on `ground`, else the nearest shade that can: darker on white, lighter on dark."""
    target = 0 if _luminance(ground) > 0.2 else 255
    parts = _parts(color)
    for step in range(101):
        shade = "#" + "".join(f"{round(part + (target - part) * step / 100):02x}" for part in parts)
        if contrast(shade, ground) >= ENOUGH:
            return shade
    raise AssertionError("black and white can be read on anything")


def mixed(color: str, ground: str, share: float) -> str:
    """So much (0 to 1) of a colour on a ground."""
    pairs = zip(_parts(color), _parts(ground), strict=True)
    return "#" + "".join(f"{round(one * share + other * (1 - share)):02x}" for one, other in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in _parts(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
