"""What a test says, before it is asked what it expects: its name, its tables, its docstring."""

from __future__ import annotations

import ast
import re

Rows = list[list[str]]

_CAPITALS = """
    ADaM ADSL AE ALP ALT AST ASTCT BICR CR CRS CTCAE DM EMA English FDA French ICANS ICE INR iRECIST ITT
    JSON LLN MMRM NA NE NED ORR OS PD PFS PR QLQ RECIST REML RMST SAS SD SDTM SUPPQUAL TARLANEC TOML ULN XPT
"""
CAPITALS = {word.casefold(): word for word in _CAPITALS.split()} | {"hys": "Hy's", "studys": "study's"}


def sentence(name: str) -> str:
    """``test_c7_without_fever_there_is_no_crs`` is ``C7: without fever there is no CRS``."""
    if name.startswith("Test"):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[4:])
    words = [CAPITALS.get(word, word) for word in name.removeprefix("test_").split("_")]
    if re.fullmatch(r"[a-z]?\d+", words[0]) and len(words) > 1:
        words[0] = f"{words[0].upper()}:"
    text = re.sub(r" s\b", "'s", " ".join(words))
    return text[0].upper() + text[1:]


def plain(text: str) -> str:
    """A text as Markdown that shows it."""
    text = re.sub(r"([\\*|<>`\[\]~])", r"\\\1", text).replace("\n", "<br>")
    return re.sub(r"^(?=[-+#] )", r"\\", text)


def drawn(node: ast.AST) -> Rows:
    """The rows of a drawn table as Markdown, heading first; empty where the node is none.

    Cells stand between ``|``, or there is one column of single words; what a test fills in is in brackets.
    """
    if isinstance(node, ast.JoinedStr):
        parts = [part if isinstance(part, ast.Constant) else part.value for part in node.values]  # type: ignore[attr-defined]
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"({ast.unparse(part)})" for part in parts
        )
    else:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    lines = [line.strip() for line in text.strip().splitlines() if set(line) - set("-|+ ")]
    if len(lines) < 2 or not ("|" in text or all(len(line.split()) == 1 for line in lines)):
        return []
    rows = [_cells(line, lines[0]) for line in lines]
    whole = all(len(row) == len(rows[0]) or row[0].startswith("(") for row in rows)
    return rows if whole and all(re.fullmatch(r"[A-Za-z(].*", cell) for cell in rows[0]) else []


def _cells(line: str, heading: str) -> list[str]:
    width = len(heading.strip("|").split("|"))
    cells = [plain(cell.strip()) for cell in line.split("|")][heading.startswith("|") :]
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells


def grid(rows: Rows) -> str:
    """A Markdown table; short rows are filled."""
    width = len(rows[0])
    filled = [row + [""] * (width - len(row)) for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [filled[0], ["---"] * width, *filled[1:]])


def prose(docstring: str | None) -> str:
    """A docstring; a table drawn in it becomes one."""
    parts = []
    for paragraph in (docstring or "").split("\n\n"):
        table = drawn(ast.Constant(paragraph)) if paragraph.startswith("|") else []
        parts.append(grid(table) if table else re.sub(r"[*<>|]", r"\\\g<0>", paragraph).replace("``", "`"))
    return "\n\n".join(parts)
