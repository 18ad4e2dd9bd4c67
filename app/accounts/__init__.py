"""Accounts and their gateways."""
