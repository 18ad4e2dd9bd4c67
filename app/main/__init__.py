"""The desk: dashboard, activity."""

from app.main.routes import main_bp

__all__ = ["main_bp"]
