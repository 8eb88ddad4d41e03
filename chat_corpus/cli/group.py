"""What all verbs of the command line share: which one is meant, and how a failure is told."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from chat_corpus import process_setup
from chat_corpus.cli.terminal import handle_logs, safe_json
from chat_corpus.errors import UsageError, unexpected
from chat_corpus.messages import safe


class Verb(click.Command):
    """A command that writes results to stdout, and lets nobody else write there."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with process_setup.prints_to_stderr():
            return super().invoke(ctx)


class RunByDefault(click.Group):
    """A group whose command `run` is meant where none is named, so that `main.py -s ptt` is `main.py run -s ptt`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before arguments that name no command."""
        own = {"--help", "-h", "--version"}
        completing = ctx.resilient_parsing and not args
        if not completing and (not args or (args[0] not in self.commands and args[0] not in own)):
            if args and not args[0].startswith("-"):
                nearest = difflib.get_close_matches(args[0], self.commands, n=1)
                hint = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(self.commands)}"
                ctx.fail(f"no command '{args[0]}'; {hint}")
            late = [word for word in args if word in self.commands]
            if late and not args[args.index(late[0]) - 1].startswith("-"):
                ctx.fail(f"the command comes first: {ctx.info_name} {late[0]} …")
            args = ["run", *args]
        ctx.meta[__name__] = tuple(args)
        return super().parse_args(ctx, args)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run the program with standard streams that can be used; wrong usage is told as other errors are.

        The exit code does not depend on whether anybody can be told why.
        """
        process_setup.prepare()
        if not extra.get("standalone_mode", True):
            return super().main(args, *rest, **extra)
        as_json = "--log-json" in (sys.argv[1:] if args is None else args)
        code: Any = 1
        try:
            code = super().main(args, *rest, **{**extra, "standalone_mode": False})
        except click.Abort:
            code = 130
        except click.ClickException as error:
            code = error.exit_code
            with contextlib.suppress(OSError):
                _tell(error.format_message(), as_json=True, event="usage") if as_json else error.show()
        except OSError as error:  # of stdout, where help or the version should go
            _tell(_refused(error), as_json=as_json)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever fails is one message and an exit code."""
        handle_logs()
        process_setup.stop_on_signals()
        words = ctx.meta.get(__name__, ())
        as_json, verbose = "--log-json" in words, bool({"-v", "--verbose"} & set(words))
        try:
            process_setup.check_address_space()
            _check_names(words)
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException):
            raise
        except KeyboardInterrupt as error:
            process_setup.ignore_stops()
            resumed = "; the same command goes on from here" if ctx.invoked_subcommand == "run" else ""
            _tell(f"stopped{resumed}", as_json=as_json, level="info", event="stopped")
            ctx.exit(error.exit_code if isinstance(error, process_setup.Terminated) else 130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has had enough of it
                raise
            _tell(_refused(error), as_json=as_json)
            ctx.exit(1)
        except BaseException as error:  # noqa: BLE001 the last one who can say it in a line
            told = unexpected(ctx.invoked_subcommand or "chat-corpus", error)
            trace = getattr(told, "trace", "")
            if verbose and trace and not as_json:
                with contextlib.suppress(OSError):
                    click.echo(safe(trace), err=True)
            _tell(str(told), as_json=as_json, **({"traceback": trace} if trace else {}))
            ctx.exit(told.exit_code)


def _check_names(words: Sequence[str]) -> None:
    """Raise UsageError where a name was given in UTF-8 to a Python that reads names otherwise, as LC_ALL=C may have it.

    No file would be found under it, and the report could not tell it.
    """
    encoding = sys.getfilesystemencoding()
    for word in words:
        if encoding != "utf-8" and any("\udc80" <= character <= "\udcff" for character in word):
            with contextlib.suppress(UnicodeError):
                meant = os.fsencode(word).decode()
                raise UsageError(
                    f"{meant}: Python reads names as {encoding} here, and this one is UTF-8: set PYTHONUTF8=1, or a "
                    "locale of UTF-8 (LC_ALL=C.UTF-8)"
                )


def _refused(error: OSError) -> str:
    """What the system refused, and of which file, as far as it says so."""
    if error.errno == errno.ENOENT and not error.filename and not _is_somewhere():
        return "the folder that this was started in is gone: go to one that is there ('cd'), and run again"
    return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}"


def _is_somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _tell(message: str, *, as_json: bool, level: str = "error", event: str = "failed", **facts: str) -> None:
    text = f"{'error: ' if level == 'error' else ''}{safe(message)}"
    if as_json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level, "event": event, "message": message, **facts}
        text = safe_json(line, indent=None)
    with contextlib.suppress(OSError):  # its terminal is gone, or its disk full
        click.echo(text, err=True)
