"""The commands that call a running service: `submit`, `poll` and `redeem-key`."""

import typer

from app.cli import exit_codes, poll_command, redeem_command, submit_command

calls = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
calls.command(help=submit_command.ABOUT)(submit_command.submit)
calls.command(help=poll_command.ABOUT)(poll_command.poll)
calls.command(help=redeem_command.ABOUT)(redeem_command.redeem_key)

if __name__ == "__main__":
    exit_codes.run(calls)
