"""`flask desk ...`: the setup token, users, the kill switch and a database that was set back, from the command line."""

import secrets
from dataclasses import dataclass

import click
from flask import Flask
from flask.cli import AppGroup

from app.domain.errors import DeskError, NotFound
from app.domain.trading_states import Scope
from app.services.foreign_positions import foreign_positions
from app.services.kill_switch import Target
from app.services.people import ROLES
from app.web.desk import desk
from app.web.places import ticked_in

commands = AppGroup("desk", help="Users of this desk, and its kill switch.")


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


@dataclass(frozen=True)
class _CommandLine:
    """Whoever sits at the machine acts under the first admin's id."""

    id: int
    username: str = "command line"
    is_admin: bool = True


@commands.command("kill")
@click.option("--account", type=int, help="Only this account, by its number.")
@click.option("--group", help="Only the accounts of this group, by its name or number.")
@click.option("--foreign", multiple=True, help="Take this foreign position along, named as `flask desk states` does.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def kill(account: int | None, group: str | None, foreign: tuple[str, ...], yes: bool) -> None:
    """Halt entries, cancel what rests and close our positions, of everything unless told; a running engine does it at
    once. Foreign positions stay unless each is named.
    """
    if account is not None and group is not None:
        raise click.UsageError("Give an account or a group, not both.")
    try:
        actor = _CommandLine(desk().people.first_admin().id)
        target, what = _target(actor, account, group)
        ticked = ticked_in(foreign)
        if not yes:
            along = "".join(f"\nand the foreign {each.name}" for each in ticked)
            click.confirm(f"Halt, cancel and close {what}{along}?", abort=True)
        desk().kill_switch.kill(target, actor=actor, key=f"cli-{secrets.token_hex(8)}", ticked=ticked)
    except DeskError as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo("Halted: no entry is sent any more. A running engine cancels and closes; see `flask desk states`.")


def _target(actor: _CommandLine, account: int | None, group: str | None) -> tuple[Target, str]:
    """What is meant, and in words. Raises NotFound for a group that is not there."""
    if account is not None:
        return Target(Scope.ACCOUNT, account), f"account {account}"
    if group is None:
        return Target(), "everything"
    groups = desk().groups.shown_to(actor)
    found = [each for each in groups if each.name == group] or [each for each in groups if str(each.id) == group]
    if not found:
        names = ", ".join(f"{each.name} ({each.id})" for each in groups) or "none"
        raise NotFound(f"There is no group {group}. Groups: {names}.")
    return Target(Scope.GROUP, found[0].id), f"the {len(found[0].members)} accounts of the group {found[0].name}"


@commands.command("setback")
@click.option("--acknowledge", is_flag=True, help="Take entries again; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def setback(acknowledge: bool, yes: bool) -> None:
    """Print whether the database may be older than what the brokers have, which holds entries until it is
    acknowledged.
    """
    found = desk().setbacks.standing()
    if found is None:
        click.echo("Nothing is missing in the database as far as anybody can say.")
        return
    click.echo(f"Found {found.at:%Y-%m-%d %H:%M:%S} UTC: {found.sentence}. Entries are held, exits go on.")
    if not acknowledge:
        return
    if not yes:
        click.confirm("Was every order that is missing here looked for at the brokers?", abort=True)
    try:
        desk().setbacks.acknowledge(found.id, actor=_CommandLine(desk().people.first_admin().id))
    except DeskError as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo("Acknowledged: entries are taken again once a running engine has noticed.")


@commands.command("states")
def states() -> None:
    """Print what is halted or reduce-only, how far the newest uses of the kill switch are, and what is foreign."""
    try:
        viewer = _CommandLine(desk().people.first_admin().id)
    except DeskError as refused:
        raise click.ClickException(str(refused)) from refused
    standings = desk().kill_switch.standings(viewer)
    for standing in standings:
        click.echo(f"{standing.state} {Target(standing.scope, standing.scope_id).subject}: {standing.sentence}")
    if not standings:
        click.echo("Active: entries are taken everywhere.")
    for used in desk().kill_switch.kills(viewer):
        how_far = "flat" if used.flat_at else "not flat after 30 s" if used.alarm_at else used.answer or "not taken yet"
        click.echo(f"Kill switch of {used.asked_at:%Y-%m-%d %H:%M:%S} UTC, {used.target.subject}: {how_far}")
        for along in used.along:
            word = along.refused or (f"run {along.run_id}" if along.run_id else "waits for the books")
            click.echo(f"  foreign {along.ticked.name}: {word}")
    for held in foreign_positions(desk().database, desk().run_board, desk().accounts.shown_to(viewer)):
        named = "not to be taken along" if held.ticked is None else held.ticked.name
        click.echo(f"Foreign in {held.words()}: {named}")
