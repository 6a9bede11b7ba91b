"""Serve a page on this machine to try a trained network: drop an image, see its classes.

    python -m dawn.serve --model results/seed-0
    python -m dawn.serve --model results/seed-0 results/seed-1 --data data --port 8080
    snakemake app

The page shows the probabilities, what the network sees at its input size, and the train images that are nearest to the
image in the space of the last linear layer's input. It is bound to 127.0.0.1: nobody else can reach it. From another
machine, forward the port: ssh -L 8000:127.0.0.1:8000 HOST. Needs the packages of the group `serve`.
"""

import importlib.util
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

import torch

from dawn.core import cli
from dawn.core.array_file import IMAGES, load_array
from dawn.tasks.classify.serving.predictor import Predictor, add_network

HOST = "127.0.0.1"
# Threads only answer complete requests: one loop reads all connections, and closes those that send nothing.
LIMITS = {
    "threads": 4,
    "connection_limit": 600,
    "channel_timeout": 20,  # seconds without a byte until a connection is closed
    "cleanup_interval": 5,  # seconds between two looks for those
    "max_request_header_size": 16 << 10,
    "max_request_body_size": 17 << 20,  # somewhat more than UPLOAD of the application, which says what is too large
    "inbuf_overflow": 64 << 10,  # bytes of a request that are in memory; more are in a temporary file
    "asyncore_use_poll": True,  # more descriptors than select takes
    "ident": None,
}


def main() -> None:
    """Parse, load, serve until interrupted."""
    parser = cli.parser(main)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="directories of seeds, or their weights")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="directory of the arrays (data, if it is there)"
    )
    add_network(parser)
    number = cli.whole("--port", 0, 65535)
    parser.add_argument("--port", type=number, default=8000, help="port; 0 takes a free one (%(default)d)")
    args = parser.parse_args()
    for package in ("flask", "waitress"):
        if importlib.util.find_spec(package) is None:
            raise cli.InputError(f"the package {package} is not installed; install it, or run make env")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    serve(Predictor(args.model, device, network=args.network), args.data, args.port)


def serve(predictor: Predictor, data: Path, port: int) -> None:
    """Answer requests until SIGINT."""
    from dawn.tasks.classify.serving.app import application
    from dawn.tasks.classify.serving.neighbours import Neighbours

    here = (data / "train_images.npy").exists()
    neighbours = Neighbours(predictor, data) if here else None
    examples = load_array(data / "test_images.npy", IMAGES) if here else None
    with listening(port) as listener:
        app = application(predictor, neighbours, examples)
        server = server_of(app, listener)
        names = ", ".join(str(member.path.parent) for member in predictor.members)
        print(f"http://{HOST}:{listener.getsockname()[1]} serves {names}; Ctrl-C ends it", flush=True)
        if not here:
            print(f"{data} has no train images, so none are shown as nearest; see --data", file=sys.stderr)
        server.run()  # SIGINT ends it


def server_of(app: Any, listener: socket.socket) -> Any:
    """The server of an application within ``LIMITS``, on a socket that listens."""
    from waitress import create_server

    logging.getLogger("waitress").setLevel(logging.ERROR)  # it warns of requests that wait for a thread
    return create_server(app, sockets=[listener], **LIMITS)


def listening(port: int) -> socket.socket:
    """A socket of this machine's own that listens; an InputError where the port cannot be had."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise cli.InputError(f"port {port}: {reason}; choose another with --port") from error


if __name__ == "__main__":
    cli.run(main)
