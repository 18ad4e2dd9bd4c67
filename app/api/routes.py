"""`/api`: what the pages' own modules ask for; the scripts' API stands beside it."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.web.extensions import api_rate_limit
from app.web.signed_in import user

api_bp = Blueprint("api", __name__, url_prefix="/api")


@api_bp.get("/session")
@api_rate_limit
def session() -> ResponseReturnValue:
    """Who is signed in: a page that was open all night asks before it acts."""
    who = user()
    return jsonify({"username": who.username, "role": who.role})
