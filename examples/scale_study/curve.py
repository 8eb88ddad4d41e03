"""Draw a learning curve as SVG: size of the training data (logarithmic) and a figure, a line for each source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.quality.figures import ALL, Figure, is_bits

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 400, 60, 150, 20, 45
#: Colours that people tell apart with any colour vision (Okabe and Ito), and that show on white and black.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")


def curve(rows: Sequence[Figure], sizes: Mapping[str, int]) -> str:
    """The curve of one figure; bars show the 95 % intervals."""
    ends = [end for row in rows for end in (row.value.low, row.value.high)]
    low, high = min(ends), max(ends)
    first, last = math.log(min(sizes.values())), math.log(max(sizes.values()))

    def across(size: int) -> float:
        return _LEFT + (math.log(size) - first) / max(last - first, 1e-9) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _TOP + (high - value) / max(high - low, 1e-9) * (_HEIGHT - _TOP - _BOTTOM)

    title = "bits per character" if is_bits(rows[0].figure) else rows[0].figure
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f"<title>{escape(rows[0].figure)}</title><style>text {{ font-size: 12px; fill: currentColor }}</style>",
        f'<text x="{_LEFT}" y="12">{escape(title)}</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">training pairs</text>',
    ]
    parts += [
        f'<text x="{across(size):.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{size:,}</text>'
        for size in sizes.values()
    ]
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(f'<text x="{_LEFT - 8}" y="{down(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
        parts.append(f'<path d="M{_LEFT} {down(value):.1f}H{_WIDTH - _RIGHT}" stroke="#8884"/>')
    for at, source in enumerate(dict.fromkeys(row.source for row in rows)):
        colour, width = (_COLOURS[at % len(_COLOURS)], 1.5) if source != ALL else ("currentColor", 3)
        style = f'stroke="{colour}" stroke-width="{width}"'
        if at >= len(_COLOURS):  # each colour a second time
            style += ' stroke-dasharray="5 3"'
        points = [(across(sizes[row.input]), row.value) for row in rows if row.source == source]
        line = "L".join(f"{x:.1f} {down(value.value):.1f}" for x, value in points)
        bars = "".join(f"M{x:.1f} {down(value.low):.1f}V{down(value.high):.1f}" for x, value in points)
        parts.append(f'<path d="M{line}" fill="none" {style}/>')
        parts.append(f'<path d="{bars}" stroke="{colour}" opacity=".6"/>')
        dots = "".join(f'<circle cx="{x:.1f}" cy="{down(value.value):.1f}" r="2.5"/>' for x, value in points)
        parts.append(f'<g fill="{colour}">{dots}</g>')
        y = _TOP + 10 + 16 * at
        parts.append(f'<path d="M{_WIDTH - _RIGHT + 15} {y - 4}h18" {style}/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 38}" y="{y}">{escape(source)}</text>')
    return "\n".join([*parts, "</svg>", ""])
