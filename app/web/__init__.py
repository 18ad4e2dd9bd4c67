"""What the blueprints share: extensions, the security gate, errors, formatting."""
