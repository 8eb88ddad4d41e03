"""The tables of a page for programs and papers, as JSON, Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chat_corpus.messages import one_line, translated
from chat_corpus.page.formats import format_number
from chat_corpus.page.model import NUMERIC, Cell, Column, Excerpt, Number, Page, Row, Table

#: Characters with a meaning in LaTeX, and their escapes.
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
}


def as_json(page: Page) -> dict[str, Any]:
    """Return the views with their tables as values for JSON, in English; numbers are not rounded.

    Rows have a value for each of `columns`; the sums of a table, if any, are in `total`.
    """
    return {
        "title": str(page.title),
        "views": [
            {
                "name": view.name,
                "title": str(view.title),
                "sentence": str(view.sentence),
                "notes": [str(note) for note in (*view.faults, *view.notes)],
                "tables": [_json_table(table) for table in view.tables if table.rows],
            }
            for view in page.views
        ],
    }


def _json_table(table: Table) -> dict[str, Any]:
    rows = [[_value(cell) for cell in row] for row in table.rows]
    made: dict[str, Any] = {
        "name": table.name,
        "caption": str(table.caption),
        "columns": [str(column.title) for column in table.columns],
        "rows": rows,
    }
    return made if table.total is None else {**made, "total": [_value(cell) for cell in table.total]}


def _value(cell: Cell) -> str | float | None:
    if isinstance(cell, Number):
        return cell.value
    return None if cell is None else str(cell)


def as_markdown(page: Page, catalogue: Mapping[str, str]) -> str:
    """Return the tables as Markdown in the language of a catalogue."""
    parts = [f"# {_text(page.title, catalogue)}"]
    for view in page.views:
        parts += [f"## {_text(view.title, catalogue)}", _markdown(_text(view.sentence, catalogue))]
        for table in (table for table in view.tables if table.rows):
            rows = [[_text(column.title, catalogue) for column in table.columns], *_rows(table, catalogue)]
            lines = ["| " + " | ".join(map(_markdown, row)) + " |" for row in rows]
            rule = ["---:" if column.kind in NUMERIC else "---" for column in table.columns]
            lines.insert(1, "| " + " | ".join(rule) + " |")
            parts += [f"**{_markdown(_text(table.caption, catalogue))}**", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def as_latex(page: Page, catalogue: Mapping[str, str]) -> str:
    """Return the tables as LaTeX for the packages booktabs and, for Chinese, ctex, in the language of a catalogue."""
    return "% \\usepackage{booktabs}; \\usepackage{ctex} for Chinese\n" + "\n".join(
        _latex_table(table, catalogue) for view in page.views for table in view.tables if table.rows
    )


def _latex_table(table: Table, catalogue: Mapping[str, str]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(_latex, cells)) + r" \\"

    rows = [line(row) for row in _rows(table, catalogue)]
    if table.total is not None:
        rows.insert(-1, r"\midrule")
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering\small",
            rf"\caption{{{_latex(_text(table.caption, catalogue))}}}\label{{tab:{table.name.replace('_', '-')}}}",
            rf"\begin{{tabular}}{{{''.join('r' if column.kind in NUMERIC else 'l' for column in table.columns)}}}",
            r"\toprule",
            line([_text(column.title, catalogue) for column in table.columns]),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _rows(table: Table, catalogue: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield the rows of a table as texts, and then its sums, if any."""
    rows: tuple[Row, ...] = table.rows if table.total is None else (*table.rows, table.total)
    for row in rows:
        yield [_cell(cell, column, catalogue) for cell, column in zip(row, table.columns, strict=True)]


def _cell(cell: Cell, column: Column, catalogue: Mapping[str, str]) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Number):
        return format_number(cell, column.kind)
    return one_line(str(cell)) if isinstance(cell, Excerpt) else _text(cell, catalogue)


def _text(text: str, catalogue: Mapping[str, str]) -> str:
    return one_line(str(translated(text, catalogue)))


def _markdown(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\|*_<>[]`" else character for character in text)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
