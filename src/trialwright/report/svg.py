"""A Matplotlib figure as inline SVG: small, the same bytes every time, and at home in a page.

Text stays text in the page's own type, its size multiplied by the CSS variable ``--zoom`` (larger on a
phone); ids are those of this figure alone; dates, fonts and what nobody refers to are gone.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.linewidth": 0.8,
    "path.simplify": False,
}
_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")
_SIZE = re.compile(r"font-size: ([\d.]+)px")
_FONT = re.compile(r"font: ((?:bold |italic |[1-9]00 )*)([\d.]+)px [^;\"]*")
_DIGITS = re.compile(r"(\d\.\d\d)\d+")
_STILL = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(?:url\(|href=")#([^)"]*)')
_EMPTY = re.compile(r"<defs>\s*</defs>")


def inline(figure: Figure, prefix: str, alt: str) -> Markup:
    """The figure for a page; ``prefix`` must be its own in that page, ``alt`` is read aloud."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": prefix}):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Type", "Format")))
    return _tidy(out.getvalue(), prefix, alt)


def _tidy(drawn: str, prefix: str, alt: str) -> Markup:
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    used = set(_REFERENCE.findall(body))
    body = _ID.sub(lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", body)
    body = _REFERENCE.sub(lambda m: m[0].replace("#", f"#{prefix}-"), body)
    body = _FAMILY.sub("", body)
    body = _FONT.sub(_plain_font, body)
    body = _SIZE.sub(r"font-size: calc(\1px * var(--zoom, 1))", body)
    body = _STILL.sub("", body)
    body = _DIGITS.sub(r"\1", body)
    body = _EMPTY.sub("", body)
    body = re.sub(r"\n\s*", "\n", body).replace(" \n", " ").replace("\n<", "<")
    return opened(body, alt)


def _plain_font(found: re.Match[str]) -> str:
    words = found[1].split()
    weight = next((w for w in words if w == "bold" or w.isdigit()), "")
    slant = "font-style: italic; " if "italic" in words else ""
    return (f"font-weight: {weight}; " if weight else "") + slant + f"font-size: {found[2]}px"


def opened(body: str, alt: str) -> Markup:
    """``body``, escaped by who drew it, in a tag without fixed sizes; ``alt`` is read aloud."""
    box = re.search(r'viewBox="([^"]*)"', body)
    end = body.index(">")
    head = f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{escape(alt)}">'
    return Markup(head + body[end + 1 :].strip())
