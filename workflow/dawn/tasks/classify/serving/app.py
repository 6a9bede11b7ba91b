"""The page to try a network: a Flask application that answers this machine's browser alone.

Three things keep other pages in that browser out: the Host header must name the loopback address (against DNS
rebinding), requests that carry an image need a header that no form of another origin can send, and the responses
forbid everything but the page's own files.
"""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from flask import Flask, Response, jsonify, request
from numpy.typing import NDArray
from PIL import Image
from werkzeug.exceptions import HTTPException

from dawn.core.cli import InputError
from dawn.data.image_file import read_image
from dawn.tasks.classify.serving.neighbours import MOST, Neighbours
from dawn.tasks.classify.serving.prediction import summarized
from dawn.tasks.classify.serving.predictor import Predictor

UPLOAD = 16 << 20  # bytes of a request
NEAREST = 8  # train images shown
DECODER = ThreadPoolExecutor(1)  # decodes one upload at a time, whose memory the next one reuses
HEADER = "X-Dawn"  # of every upload
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MESSAGES = {
    413: f"the upload is larger than {UPLOAD >> 20} MiB",
    404: "there is no such page",
    405: "this address takes no such request",
}


class Refused(Exception):
    """A request that is not answered: the status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def application(predictor: Predictor, neighbours: Neighbours | None, examples: NDArray[np.uint8] | None) -> Flask:
    """The application: the page, ``/about``, ``/predict``, ``/nearest`` and ``/example/<n>``.

    ``examples`` are test images uint8 (n, size, size, 3) that the page offers.
    """
    app = Flask(__name__, static_folder="page", static_url_path="/page")
    app.config.update(MAX_CONTENT_LENGTH=UPLOAD, MAX_FORM_PARTS=4, MAX_FORM_MEMORY_SIZE=1 << 16)
    app.before_request(_local)
    app.after_request(_closed)
    app.register_error_handler(Refused, lambda error: _error(error.status, error.reason))
    app.register_error_handler(InputError, lambda error: _error(500, str(error)))
    app.register_error_handler(HTTPException, lambda error: _error(error.code, MESSAGES.get(error.code, error.name)))

    app.add_url_rule("/", "index", lambda: app.send_static_file("index.html"))
    app.add_url_rule("/about", "about", lambda: jsonify(_about(predictor, neighbours, examples)))
    app.add_url_rule("/predict", "predict", lambda: jsonify(_predict(predictor)), methods=["POST"])
    app.add_url_rule("/nearest", "nearest", lambda: jsonify(_nearest(predictor, neighbours)), methods=["POST"])
    app.add_url_rule("/example/<int:number>", "example", lambda number: _example(examples, number))
    return app


def _local() -> None:
    """Refuse a request whose Host or Origin is not this server by its loopback name."""
    port = request.environ["SERVER_PORT"]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
    if request.headers.get("Host") not in hosts:
        raise Refused(421, f"this server answers to http://{hosts[0]} alone")
    if request.headers.get("Origin", f"http://{hosts[0]}") not in [f"http://{host}" for host in hosts]:
        raise Refused(403, "requests of other sites are refused")
    if request.method == "POST" and HEADER not in request.headers:
        raise Refused(403, f"the header {HEADER} is missing; use the page, or send it with any value")


def _closed(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _error(status: int | None, reason: str) -> tuple[Response, int]:
    return jsonify(error=reason), status or 500


def _about(predictor: Predictor, neighbours: Neighbours | None, examples: NDArray[np.uint8] | None) -> dict[str, Any]:
    return {
        "networks": [str(member.path) for member in predictor.members],
        "classes": predictor.classes,
        "preprocessing": predictor.preprocessing.plain(),
        "compared": len(neighbours.places) if neighbours else 0,
        "train_images": len(neighbours.images) if neighbours else 0,
        "examples": 0 if examples is None else len(examples),
        "most_compared": MOST,
        "upload_mib": UPLOAD >> 20,
    }


def _uploaded(predictor: Predictor) -> NDArray[np.uint8]:
    """The image of the request, uint8 (size, size, 3)."""
    file = request.files.get("image")
    if file is None:
        raise Refused(400, "the request has no file named image")
    size, resize = predictor.preprocessing.size, predictor.preprocessing.resize
    try:
        return DECODER.submit(read_image, file.read(), size, resize).result()
    except InputError as error:
        raise Refused(400, f"the file {error}") from error


def _predict(predictor: Predictor) -> dict[str, Any]:
    """The classes of the uploaded image, and what the networks see of it."""
    image = _uploaded(predictor)
    result = summarized("", predictor.classes, predictor.probabilities(image[None])[:, 0])
    return {
        "class": result.top,
        "probabilities": list(result.probabilities.items()),
        "std": result.std,
        "agreement": result.agreement,
        "seen": data_url(predictor.seen(image)),
    }


def _nearest(predictor: Predictor, neighbours: Neighbours | None) -> dict[str, Any]:
    """The train images nearest to the uploaded one."""
    if neighbours is None:
        raise Refused(404, "the train images are not here; start with --data and their directory")
    result = neighbours.nearest(_uploaded(predictor), NEAREST)
    rows = [
        {"label": n.label, "similarity": n.similarity, "index": n.index, "image": data_url(n.pixels)} for n in result
    ]
    return {"neighbours": rows}


def _example(examples: NDArray[np.uint8] | None, number: int) -> Response:
    """A test image as PNG."""
    if examples is None or number >= len(examples):
        raise Refused(404, "there is no such test image")
    return Response(_png(examples[number]), mimetype="image/png")


def _png(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def data_url(pixels: NDArray[np.uint8]) -> str:
    """An image uint8 (h, w, 3) as a data URL of a PNG."""
    return f"data:image/png;base64,{base64.b64encode(_png(pixels)).decode()}"
