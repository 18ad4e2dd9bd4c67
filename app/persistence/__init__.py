"""SQLAlchemy: tables, the types of their columns, and the one way to open a session."""
