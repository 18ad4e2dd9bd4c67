"""Accounts and their gateways."""

from app.accounts.routes import accounts_bp

__all__ = ["accounts_bp"]
