"""Serve a page on this machine to try a trained network: drop an image, see its classes.

    python -m dawn.serve --model results/seed-0
    python -m dawn.serve --model results/seed-0 results/seed-1 --data data --port 8080
    snakemake app

The page shows the probabilities, what the network sees at its input size, and the train images that are nearest to the
image in the space of the last linear layer's input. It is bound to 127.0.0.1: nobody else can reach it. From another
machine, forward the port: ssh -L 8000:127.0.0.1:8000 HOST. Needs the packages of the group `serve`.
"""

import logging
import os
import socket
import sys
from pathlib import Path

import numpy as np
import torch

from dawn.core import cli
from dawn.serving.predictor import Predictor

HOST = "127.0.0.1"


def main() -> None:
    """Parse, load, serve until interrupted."""
    parser = cli.parser(main)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="directories of seeds, or their weights")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="directory of the arrays (data, if it is there)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port; 0 takes a free one (%(default)d)")
    args = parser.parse_args()
    try:
        from werkzeug.serving import make_server

        from dawn.serving.app import application
        from dawn.serving.neighbours import Neighbours
    except ImportError as error:
        raise cli.InputError(f"{error.name} is not installed; install flask") from error
    if not 0 <= args.port < 1 << 16:
        raise cli.InputError(f"--port {args.port}: 0 to 65535")
    predictor = Predictor(args.model, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    here = (args.data / "train_images.npy").exists()
    neighbours = Neighbours(predictor, args.data) if here else None
    examples = np.load(args.data / "test_images.npy", mmap_mode="r") if here else None
    try:
        listening = socket.create_server((HOST, args.port))
    except OSError as error:
        raise cli.InputError(
            f"port {args.port}: {os.strerror(error.errno or 0)}; choose another with --port"
        ) from error
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app, fd = application(predictor, neighbours, examples), listening.fileno()
    server = make_server(HOST, args.port, app, threaded=True, fd=fd)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    print(f"{address} serves {', '.join(map(str, args.model))}; Ctrl-C ends it", flush=True)
    if not here:
        print(f"{args.data} has no train images, so none are shown as nearest; see --data", file=sys.stderr)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)
    finally:
        server.server_close()
        listening.close()


if __name__ == "__main__":
    cli.run(main)
