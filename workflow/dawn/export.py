"""Export a trained network to ONNX and to torch.export's archive, which run without this package.

    python -m dawn.export --model results/seed-0
    python -m dawn.export --model results/seed-0 --format onnx --out elsewhere

Writes model.onnx and model.pt2 next to the weights. Input: images, uint8 (batch, height, width, 3), RGB, of any size.
Output: logits, float32 (batch, classes). Cropping, scaling as by Pillow, to the last bit, and normalisation are inside.
The names of the classes and the preprocessing are in the metadata of the ONNX file and in the archive's extra file
dawn.json. Both files are run and compared with the network before the command ends.
ONNX needs the packages of the group `export`.
"""

import importlib.util
from pathlib import Path

from dawn.core import cli
from dawn.tasks.classify.serving import exported
from dawn.tasks.classify.serving.predictor import add_network, load_trained

FORMATS = {
    "onnx": ("model.onnx", exported.write_onnx, exported.difference_of_onnx),
    "torch": ("model.pt2", exported.write_archive, exported.difference_of_archive),
}
PACKAGES = ("onnx", "onnxruntime", "onnxscript")


def main() -> None:
    """Parse, trace, write, compare."""
    parser = cli.parser(main)
    parser.add_argument("--model", type=Path, required=True, help="directory of a seed, or its weights")
    add_network(parser)
    parser.add_argument("--format", choices=FORMATS, action="append", help="may be repeated; both unless given")
    parser.add_argument("--out", type=cli.output, help="directory of the exports (that of the weights)")
    args = parser.parse_args()
    formats = args.format or list(FORMATS)
    missing = [name for name in PACKAGES if "onnx" in formats and importlib.util.find_spec(name) is None]
    if missing:
        raise cli.InputError(f"ONNX needs {', '.join(missing)}, not installed; install them, or give --format torch")
    trained = load_trained(args.model, args.network)
    program, images, expected = exported.traced(trained)
    bound = exported.TOLERANCE * max(1.0, float(expected.abs().max()))
    for name, write, difference in map(FORMATS.__getitem__, formats):
        path = (args.out or trained.path.parent) / name
        write(path, program, trained)
        off = difference(path, images, expected)
        if not off <= bound:
            path.unlink()
            raise cli.InputError(
                f"{path} differs by {off:.2g} from the network's logits, at most {bound:.2g} is allowed"
            )
        print(f"{path}: {path.stat().st_size:,} bytes; its logits differ by {off:.1e} at most from the network's")


if __name__ == "__main__":
    cli.run(main)
