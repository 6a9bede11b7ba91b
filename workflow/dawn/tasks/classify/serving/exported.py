"""A trained network in formats that need none of this package: ONNX, and the archive of torch.export."""

import io
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dawn.core.cli import InputError
from dawn.core.files import replacing
from dawn.tasks.classify.serving.predictor import Trained
from dawn.tasks.classify.serving.resize import scaled

OPSET = 20  # of ONNX; its Resize averages where an image shrinks, as ours does
EXAMPLES = 3  # images that an export is traced with and compared on
TOLERANCE = 1e-4  # of logits, relative to the largest of them where that is above 1
INFO = "dawn.json"  # the extra file of torch.export's archive


class Pixels(nn.Module):
    """The network behind its preprocessing: uint8 (n, h, w, 3), any h and w, to logits float32 (n, classes)."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.net, self.preprocessing = trained.net, trained.preprocessing

    def forward(self, images: Tensor) -> Tensor:
        """Scale, normalise, classify."""
        images = scaled(images, self.preprocessing.size, self.preprocessing.resize)
        logits: Tensor = self.net(self.preprocessing.input(images))
        return logits


def info(trained: Trained) -> dict[str, str]:
    """Return what a user of the export needs, as JSON texts: the classes and how an image file becomes its input."""
    return {"classes": json.dumps(trained.classes), "preprocessing": json.dumps(trained.preprocessing.plain())}


def traced(trained: Trained) -> tuple[torch.export.ExportedProgram, NDArray[np.uint8], Tensor]:
    """The program for any number of images of one size, images to compare on, uint8 (3, h, w, 3), and their logits."""
    size = trained.preprocessing.size
    images = np.random.default_rng(0).integers(0, 256, (EXAMPLES, size + 7, 2 * size + 9, 3), dtype=np.uint8)
    example = torch.from_numpy(images)
    module = Pixels(trained).eval()
    sides = (torch.export.Dim(name, min=1, max=1 << 20) for name in ("batch", "height", "width"))
    try:
        program = torch.export.export(module, (example,), dynamic_shapes=(dict(enumerate(sides)),))
    except Exception as error:  # torch raises many kinds for what it cannot trace
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{trained.path}: torch.export cannot trace this network ({reason})") from error
    with torch.no_grad():
        return program, images, module(example)


def write_archive(path: Path, program: torch.export.ExportedProgram, trained: Trained) -> None:
    """Write torch.export's archive; its extra file ``dawn.json`` holds the classes and the preprocessing."""
    with replacing(path) as partial, partial.open("wb") as file:
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={INFO: json.dumps(info(trained))})
        file.write(buffer.getbuffer())


def write_onnx(path: Path, program: torch.export.ExportedProgram, trained: Trained) -> None:
    """Write ONNX: input ``images``, output ``logits``; its metadata holds the classes and the preprocessing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter about itself
        made = torch.onnx.export(
            program, input_names=["images"], output_names=["logits"], opset_version=OPSET, verbose=False
        )
    assert made is not None
    made.model.metadata_props.update(info(trained))
    with replacing(path) as partial:
        made.save(str(partial), external_data=False)


def difference_of_archive(path: Path, images: NDArray[np.uint8], expected: Tensor) -> float:
    """The largest difference between what the archive computes and the ``expected`` logits."""
    logits: Tensor = torch.export.load(path).module()(torch.from_numpy(images))
    return float((logits - expected).abs().max())


def difference_of_onnx(path: Path, images: NDArray[np.uint8], expected: Tensor) -> float:
    """The same of an ONNX file, run by onnxruntime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images})
    return float(np.abs(logits - expected.numpy()).max())
