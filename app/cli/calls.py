"""The commands that call a service elsewhere: `submit` and `poll`."""

import typer

from app.cli import ending, polling, submitting

calls = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
calls.command(help=submitting.ABOUT)(submitting.submit)
calls.command(help=polling.ABOUT)(polling.poll)

if __name__ == "__main__":
    ending.run(calls)
