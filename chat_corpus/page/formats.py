"""The text of numbers on a page and in its tables."""

from __future__ import annotations

from chat_corpus.page.model import Kind, Number

#: The smallest share that is shown as a number.
_SMALLEST = 0.001


def format_number(number: Number, kind: Kind) -> str:
    """Return a number as text: with commas, shares as percentages, and decimals of means.

    >>> format_number(Number(value=1234567), Kind.COUNT), format_number(Number(value=0.1234), Kind.SHARE)
    ('1,234,567', '12.3%')
    >>> format_number(Number(value=0.0004), Kind.SHARE), format_number(Number(value=1234.5), Kind.DECIMAL)
    ('<0.1%', '1,234.50')
    >>> format_number(Number(value=-1200), Kind.DELTA), format_number(Number(value=3), Kind.DELTA)
    ('−1,200', '+3')
    """
    if kind is Kind.SHARE:
        return "<0.1%" if 0 < number.value < _SMALLEST else f"{number.value:.1%}"
    if kind is Kind.DELTA:
        return f"{number.value:+,}".replace("-", "−") if number.value else "0"
    return f"{number.value:,.2f}" if kind is Kind.DECIMAL else f"{number.value:,}"
