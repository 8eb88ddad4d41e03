"""What all verbs of the command line share: which one is meant, and how a failure is told."""

from __future__ import annotations

import difflib
import errno
import signal
import sys
from io import TextIOWrapper
from typing import Any

import click

from chat_corpus.errors import ChatCorpusError
from chat_corpus.terminal import handle_logs, safe, safe_json


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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure that the user must know of is one message and its own exit code."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # a terminal without Han gets escapes
                stream.reconfigure(errors="backslashreplace")
        handle_logs()
        try:
            return super().invoke(ctx)
        except ChatCorpusError as error:
            _tell(str(error), as_json="--log-json" in ctx.meta.get(__name__, ()))
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has had enough of it
                raise
            where = f"{error.filename}: " if error.filename else ""
            _tell(f"{where}{error.strerror or error}", as_json="--log-json" in ctx.meta.get(__name__, ()))
            ctx.exit(1)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            resumed = "; the same command goes on from here" if ctx.invoked_subcommand == "run" else ""
            click.echo(f"stopped{resumed}", err=True)
            ctx.exit(1)


def _tell(error: str, *, as_json: bool) -> None:
    told = safe_json({"level": "error", "message": error}, indent=None)
    click.echo(told if as_json else f"error: {safe(error)}", err=True)
