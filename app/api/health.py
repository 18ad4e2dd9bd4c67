"""Whether the process lives, and whether the desk can trade."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.web.desk import desk
from app.web.readiness import obstacles

health_bp = Blueprint("health", __name__)


@health_bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers and its threads are well; 503 names those that are not."""
    unwell = desk().unwell_threads()
    if unwell:
        return jsonify({"status": "unwell", "threads": unwell}), 503
    return jsonify({"status": "alive"})


@health_bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """Ready means that an order could be sent now; 503 with every reason why not. Names no account to strangers."""
    reasons = obstacles(desk())
    if reasons:
        return jsonify({"status": "cannot trade", "reasons": reasons}), 503
    return jsonify({"status": "can trade"})
