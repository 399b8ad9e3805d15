from flask import Blueprint, jsonify, render_template
import redis

bp = Blueprint("views", __name__)


@bp.get("/healthz")
def healthz():
    return jsonify(ok=True, page=render_template("index.html"))
