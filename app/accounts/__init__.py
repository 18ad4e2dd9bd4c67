"""Accounts, groups of them, and their gateways."""

from app.accounts import brokerage, groups
from app.accounts.routes import accounts_bp

__all__ = ["accounts_bp", "brokerage", "groups"]
