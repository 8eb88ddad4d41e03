"""What all verbs of the command line share: which one is meant, and how a failure is told."""

from __future__ import annotations

import difflib
import errno
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from chat_corpus import streams
from chat_corpus.errors import unexpected
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

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run the program with standard streams that can be used; wrong usage is told as other errors are."""
        streams.prepare()
        words = sys.argv[1:] if args is None else args
        if "--log-json" not in words or not extra.get("standalone_mode", True):
            return super().main(args, *rest, **extra)
        try:
            code = super().main(args, *rest, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            _tell(error.format_message(), as_json=True, event="usage")
            code = error.exit_code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever fails is one message and an exit code."""
        handle_logs()
        streams.stop_on_sigterm()
        words = ctx.meta.get(__name__, ())
        as_json, verbose = "--log-json" in words, bool({"-v", "--verbose"} & set(words))
        try:
            streams.check_address_space()
            result = super().invoke(ctx)
            sys.stdout.flush()  # a full disk is noticed here, and not when nobody can tell any more
            return result
        except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException):
            raise
        except KeyboardInterrupt as error:
            streams.ignore_stops()
            resumed = "; the same command goes on from here" if ctx.invoked_subcommand == "run" else ""
            _tell(f"stopped{resumed}", as_json=as_json, level="info", event="stopped")
            ctx.exit(143 if isinstance(error, streams.Terminated) else 130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has had enough of it
                raise
            where = f"{error.filename}: " if error.filename else ""
            _tell(f"{where}{error.strerror or error}", as_json=as_json)
            ctx.exit(1)
        except BaseException as error:  # noqa: BLE001 the last one who can say it in a line
            told = unexpected(ctx.invoked_subcommand or "chat-corpus", error)
            trace = getattr(told, "trace", "")
            if verbose and trace and not as_json:
                click.echo(safe(trace), err=True)
            _tell(str(told), as_json=as_json, **({"traceback": trace} if trace else {}))
            ctx.exit(told.exit_code)


def _tell(message: str, *, as_json: bool, level: str = "error", event: str = "failed", **facts: str) -> None:
    if as_json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level, "event": event, "message": message, **facts}
        click.echo(safe_json(line, indent=None), err=True)
    else:
        click.echo(f"{'error: ' if level == 'error' else ''}{safe(message)}", err=True)
