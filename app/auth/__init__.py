"""Signing in and out, and the first user."""

from app.auth.routes import auth_bp

__all__ = ["auth_bp"]
