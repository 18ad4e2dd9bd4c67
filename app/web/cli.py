"""`flask desk ...`: the setup token, and users from the command line."""

import click
from flask import Flask
from flask.cli import AppGroup

from app.domain.errors import DeskError
from app.services.people import ROLES
from app.web.desk import desk

commands = AppGroup("desk", help="Users of this desk.")


def install_cli(app: Flask) -> None:
    app.cli.add_command(commands)


@commands.command("setup-token")
def setup_token() -> None:
    """Print the one-time token that makes the first user; print nothing once there is one."""
    token = desk().people.setup_token()
    if token:
        click.echo(token)


@commands.command("create-user")
@click.argument("username")
@click.option("--role", type=click.Choice(ROLES), default="trader", show_default=True)
@click.password_option()
def create_user(username: str, role: str, password: str) -> None:
    """Add a user; the password is asked for."""
    try:
        person = desk().people.create(username, password, role)
    except DeskError as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(f"Added {person.role} {person.username}.")


@commands.command("reset-password")
@click.argument("username")
@click.password_option()
def reset_password(username: str, password: str) -> None:
    """Set a new password for a user; every session of theirs ends."""
    try:
        desk().people.reset_password(username, password)
    except DeskError as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo("The password is set. Sessions of this user have ended.")
