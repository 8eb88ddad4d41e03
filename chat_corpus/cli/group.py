"""Base classes of all commands: the default command, the language, and errors as one message with an exit code."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from chat_corpus import process_setup
from chat_corpus.cli import help as help_
from chat_corpus.cli import language, logs, usage
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import has_colour, safe_json
from chat_corpus.errors import UsageError, unexpected
from chat_corpus.messages import joined, message, safe
from chat_corpus.system_texts import system_text

_WORDS = f"{__name__}.words"


class Command(help_.LocalizedCommand):
    """A command that writes its results to stdout. Other prints, such as those of plugins, go to stderr."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments.

        Raises click.UsageError, with a hint, for unexpected arguments, and for empty or repeated values of options.
        """
        ctx.allow_extra_args = True
        with _in_context(ctx):
            rest = super().parse_args(ctx, list(args))
            self._check_values(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(usage.extra_arguments(rest, ctx), ctx)
        return rest

    def _check_values(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Raise BadParameter if an option has an empty value, or several values although it takes one.

        An empty value comes from a shell variable that is not set. Click would use the last one of several values.
        """
        values, _, given = self.make_parser(ctx).parse_args(list(args))
        for parameter, times in {} if ctx.resilient_parsing else Counter(given).items():
            if not isinstance(parameter, click.Option) or parameter.is_flag:
                continue
            if times > 1 and not parameter.multiple:
                fault = message("given {times} times; it takes one value", times=times)
                raise click.BadParameter(fault, ctx, parameter)
            value = values[parameter.name]
            if "" in (value if parameter.multiple else [value]) and not getattr(parameter, "may_be_empty", False):
                raise click.BadParameter(message("the value is empty; name one, or omit the option"), ctx, parameter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with prints diverted to stderr."""
        with process_setup.prints_to_stderr():
            return super().invoke(ctx)


class DefaultGroup(help_.LocalizedCommand, click.Group):
    """A group that runs `run` if no command is given: `main.py -s ptt` is the same as `main.py run -s ptt`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write commands, options and examples."""
        commands = [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        help_.write_section(formatter, help_.COMMANDS, commands)
        super().format_options(ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert `run` if the first argument is not a command, and remove `--lang`, which may be anywhere.

        Raises click.UsageError for an unknown language or command, and for a command after its options.
        """
        value, args = language.split(args)
        if value is not None and language.named(value) is None:
            known = joined(", ", language.LANGUAGES)
            raise click.UsageError(message("--lang {value}: one of {known} expected", value=value, known=known), ctx)
        completing = ctx.resilient_parsing and not args
        if not completing and (not args or args[0] not in {*self.commands, "--help", "-h", "--version"}):
            if args and not args[0].startswith("-"):
                raise click.UsageError(usage.no_command(args[0], self.commands), ctx)
            late = [word for word in args if word in self.commands]
            if late and not self._takes_value(args[args.index(late[0]) - 1]):
                raise click.UsageError(usage.late_command(late[0], args, ctx), ctx)
            args = ["run", *args]
        ctx.meta[_WORDS] = tuple(args)
        with _in_context(ctx):
            return super().parse_args(ctx, args)

    def _takes_value(self, word: str) -> bool:
        """Whether a word may be an option of `run` that takes the next word as its value."""
        options = {name: one for one in self.commands["run"].params for name in one.opts}
        option = options.get(word)
        return word.startswith("-") and not (isinstance(option, click.Option) and option.is_flag)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run the program with usable standard streams, in the language of `--lang` or of the locale.

        Usage errors are reported in the same way as other errors. The exit code does not depend on whether stderr can
        be written.
        """
        process_setup.prepare()
        words = sys.argv[1:] if args is None else list(args)
        value, _ = language.split(words)
        language.use(language.named(value or "") or language.of_environment())
        if not extra.get("standalone_mode", True):
            return super().main(args, *rest, **extra)
        as_json = "--log-json" in words
        code: Any = 1
        try:
            code = super().main(args, *rest, **{**extra, "standalone_mode": False})
        except click.Abort:
            code = 130
        except click.ClickException as error:
            code = error.exit_code
            _report_usage(error, as_json=as_json)
        except OSError as error:  # help or the version cannot be written to stdout
            _report(_refused(error), as_json=as_json)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Report any error as one message, and exit with its exit code."""
        logs.handle()
        process_setup.stop_on_signals()
        words = ctx.meta.get(_WORDS, ())
        as_json, verbose = "--log-json" in words, bool({"-v", "--verbose"} & set(words))
        try:
            process_setup.check_address_space()
            _check_names([*words, str(Path.cwd()) if _has_folder() else ""])
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException):
            raise
        except KeyboardInterrupt as error:
            process_setup.ignore_stops()
            resumes = ctx.invoked_subcommand in ("run", "fetch")
            text = message("stopped; the same command resumes from here") if resumes else message("stopped")
            _report(text, as_json=as_json, level="info", event="stopped")
            ctx.exit(error.exit_code if isinstance(error, process_setup.Terminated) else 130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the program that reads the output has ended
                raise
            _report(_refused(error), as_json=as_json)
            ctx.exit(1)
        except BaseException as error:  # noqa: BLE001 the last place where it can be reported as one line
            failure = unexpected(ctx.invoked_subcommand or "chat-corpus", error)
            trace = getattr(failure, "trace", "")
            if verbose and trace and not as_json:
                with contextlib.suppress(OSError):
                    click.echo(safe(trace), err=True)
            _report(failure.message, as_json=as_json, **({"traceback": trace} if trace else {}))
            ctx.exit(failure.exit_code)


@contextlib.contextmanager
def _in_context(ctx: click.Context) -> Iterator[None]:
    """Set the context of usage errors that are raised in the block; the parser of click sets it only in some."""
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def _check_names(words: Sequence[str]) -> None:
    """Raise UsageError if a name is UTF-8 but Python decodes names with a different encoding, as with LC_ALL=C.

    The names are the arguments and the current folder. No file with that name would be found, and the report cannot
    hold it.
    """
    encoding = sys.getfilesystemencoding()
    for word in words:
        if encoding != "utf-8" and any("\udc80" <= character <= "\udcff" for character in word):
            with contextlib.suppress(UnicodeError):
                name = os.fsencode(word).decode()
                raise UsageError(
                    message(
                        "{name}: this name is UTF-8, but Python reads names as {encoding} here; set PYTHONUTF8=1, or a "
                        "UTF-8 locale such as LC_ALL=C.UTF-8",
                        name=name,
                        encoding=encoding,
                    )
                )


def _refused(error: OSError) -> str:
    """Return the reason of an error of the operating system, with the name of the file if it is known."""
    if error.errno == errno.ENOENT and not error.filename and not _has_folder():
        return message("the current folder was deleted: change to another one ('cd') and run again")
    reason = system_text(error)
    return message("{file}: {fault}", file=error.filename, fault=reason) if error.filename else reason


def _has_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _report_usage(error: click.ClickException, *, as_json: bool) -> None:
    """Write the usage line and the message of a usage error to stderr; with `as_json`, only the message."""
    ctx = getattr(error, "ctx", None)
    if ctx is not None and not as_json:
        hint = message("Try '{command} --help' for help.", command=ctx.command_path)
        with contextlib.suppress(OSError):
            click.echo(f"{ctx.get_usage()}\n{translate(hint)}\n", err=True)
    _report(usage.described(error), as_json=as_json, event="usage")


def _report(text: str, *, as_json: bool, level: str = "error", event: str = "failed", **facts: str) -> None:
    """Write the last message to stderr, as a line in the current language or as JSON in English."""
    if as_json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = safe_json({"time": now, "level": level, "event": event, "message": text, **facts}, indent=None)
    else:
        prefix = logs.prefix(getattr(logging, level.upper()), colour=has_colour(sys.stderr))
        line = prefix + safe(translate(text))
    with contextlib.suppress(OSError):  # stderr may be a closed terminal, or a file on a full disk
        click.echo(line, err=True)
