"""`--help` in the current language: options by section, examples, and a pointer to the documentation.

The English texts are part of the commands (docstring, `help`, `metavar`, examples). They are the keys of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import click

from chat_corpus.cli.language import LANGUAGES, OPTION, lookup
from chat_corpus.cli.wrapping import columns, wrap

#: A command line, and what it does.
Example = tuple[str, str]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: Titles of the sections of options, in the order of `--help`.
SECTIONS = ("Input", "Selection", "Cleaning", "Output", "Processes", "Messages", "Other")
USAGE, TITLE = "Usage: ", "{title}:"
ARGUMENTS, COMMANDS, EXAMPLES = "Arguments", "Commands", "Examples"
DOCUMENTATION = "Documentation: docs/ in the repository, in English and Chinese (docs/zh/)."
#: Maximum width of the column of options.
_OPTIONS = 26


class Option(click.Option):
    """An option with its section in `--help`. An empty value is an error unless `may_be_empty` is true."""

    def __init__(self, *args: Any, section: str = "Other", may_be_empty: bool = False, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section, self.may_be_empty = section, may_be_empty


def option(section: str, *names: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """Return a decorator as `click.option` does, for an option in a section of `SECTIONS`."""
    return click.option(*names, cls=Option, section=section, **attributes)


def options(*declared: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Return one decorator that adds several options. `--help` shows them in this order."""

    def decorate(command: Decorated) -> Decorated:
        for decorator in reversed(declared):
            command = decorator(command)
        return command

    return decorate


#: `--lang` is declared for `--help` only: `group.DefaultGroup` removes it from the arguments before click parses them.
LANG = option(
    "Messages",
    OPTION,
    expose_value=False,
    metavar="|".join(LANGUAGES),
    help="Language of messages and help (default: that of the locale).",
)


class Formatter(click.HelpFormatter):
    """A formatter that breaks lines by columns, because a Han character takes two."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        indent = " " * self.current_indent
        self.write("".join(f"{indent}{line}\n" for line in wrap(text, self.width - self.current_indent)))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _OPTIONS, col_spacing: int = 2) -> None:
        """Write terms, with their meanings to the right of them.

        Terms that are wider than `col_max` columns are on a line without their meaning.
        """
        indent, first = " " * self.current_indent, col_max + col_spacing
        for term, meaning in rows:
            lines = wrap(meaning, max(self.width - self.current_indent - first, 20))
            if columns(term) + col_spacing <= first and lines:
                self.write(f"{indent}{term}{' ' * (first - columns(term))}{lines.pop(0)}\n")
            else:
                self.write(f"{indent}{term}\n")
            self.write("".join(f"{indent}{' ' * first}{line}\n" for line in lines))


class Context(click.Context):
    """A context with `Formatter` as its formatter of help."""

    formatter_class = Formatter


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each as one line. For longer texts, these are the keys of the catalogue."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


class LocalizedCommand(click.Command):
    """A command with help in the current language."""

    context_class = Context

    def __init__(
        self, *args: Any, examples: Sequence[Example] = (), arguments: Sequence[Example] = (), **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples, self.arguments = examples, arguments

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 the texts are short
        """Return the text for the list of commands."""
        return lookup(self.short_help or "")

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        pieces = (lookup(piece) for piece in self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=lookup(USAGE))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's
        """Write the description of the command."""
        for paragraph in paragraphs(self.help or ""):
            formatter.write_paragraph()
            formatter.write_text(lookup(paragraph))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write arguments, options by section, and examples."""
        write_section(formatter, ARGUMENTS, [(lookup(name), lookup(meaning)) for name, meaning in self.arguments])
        options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        terms = {option: _term(option, ctx) for option in options}
        first = min(max(columns(term) for term, _ in terms.values()), _OPTIONS)
        for section in SECTIONS:
            rows = [terms[option] for option in options if getattr(option, "section", "Other") == section]
            write_section(formatter, section, rows, first)
        examples = [(example, lookup(meaning)) for example, meaning in self.examples]
        write_section(formatter, EXAMPLES, examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's
        """Write where the documentation is."""
        formatter.write_paragraph()
        formatter.write_text(lookup(DOCUMENTATION))


def _term(option: click.Option, ctx: click.Context) -> tuple[str, str]:
    """Return the names of an option with its metavar, and its help text."""
    names = ", ".join(sorted(option.opts, key=len))
    value = "" if option.is_flag or option.count else f" {lookup(option.make_metavar(ctx))}"
    return names + value, lookup(" ".join((option.help or "").split()))


def write_section(
    formatter: click.HelpFormatter, title: str, rows: Sequence[Example], first: int | None = None
) -> None:
    """Write a title and rows of two columns; nothing if there are no rows.

    `first` is the width of the first column; by default, that of the widest term.
    """
    if rows:
        widest = max(columns(term) for term, _ in rows) if first is None else first
        formatter.write_paragraph()
        formatter.write(f"{lookup(TITLE).format(title=lookup(title))}\n")
        with formatter.indentation():
            formatter.write_dl(rows, col_max=widest)


def texts(group: click.Group) -> Iterator[str]:
    """Yield all help texts of a group and its commands; a catalogue must have each of them."""
    yield from (USAGE, TITLE, ARGUMENTS, COMMANDS, EXAMPLES, DOCUMENTATION, *SECTIONS)
    parent = Context(group, info_name="chat-corpus", **group.context_settings)
    for command in (group, *group.commands.values()):
        ctx = parent if command is group else Context(command, parent=parent, info_name=command.name)
        yield from paragraphs(command.help or "")
        yield from (command.short_help,) if command.short_help else ()
        yield from command.collect_usage_pieces(ctx)
        for name, meaning in (*getattr(command, "arguments", ()), *getattr(command, "examples", ())):
            yield meaning
            yield name if (name, meaning) in getattr(command, "arguments", ()) else ""
        for parameter in command.get_params(ctx):
            if isinstance(parameter, click.Option):
                yield " ".join((parameter.help or "").split())
                yield parameter.metavar or ""
