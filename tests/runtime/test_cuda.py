"""What runs on a GPU alone, as far as it can be tested without one: each preset on a fake device, and flags."""

import pytest
import torch
from conftest import ROOT
from fake_cuda import GPU, WORLD, fake_cuda, split

from dawn.config.experiment import check, merge, read
from dawn.data.dataset import Trainset
from dawn.runtime.distributed import joined
from dawn.tasks.classify import inference
from dawn.tasks.classify.train import build_state
from dawn.tasks.classify.whitening import set_whitening

FILES = {path.stem: read(path) for path in sorted((ROOT / "workflow/presets").glob("*.yaml"))}
PRESETS = ["params", *(name for name, chosen in FILES.items() if "task" not in chosen)]  # others train no classifier
TRAINED_IN = {"half": torch.float16}  # the other precisions keep fp32 weights


def preset(name, **over):
    lesson = read(ROOT / "params.yaml")
    chosen = lesson if name == "params" else merge(lesson, FILES[name])
    return check(merge(chosen, {"train": {"batch": 32, "accumulate": 2, "compile": False, "cuda_graph": False}} | over))


@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")  # by copy.deepcopy
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains_and_evaluates_on_one_gpu(name):
    experiment = preset(name)
    with fake_cuda():
        state = build_state(experiment, 10, 32, 0, WORLD)
        train = split()
        set_whitening(state.net, train)
        inference.warm_up(state.net, train, experiment, WORLD)
        trainset = Trainset(train, experiment.train.augment, 0, experiment.train.batch)
        for images, labels in next(trainset.epoch(0, WORLD, experiment.train.accumulate)):
            logits = state.precision.logits(state.forward, state.in_format(images))
            assert (logits.device, logits.dtype, logits.shape) == (GPU, torch.float32, (16, 10))
            assert torch.nn.functional.cross_entropy(logits, labels).device == GPU
        kind = TRAINED_IN.get(state.precision.kind, torch.float32)
        assert {p.dtype for p in state.net.parameters() if p.ndim == 4} == {kind}
        for p in state.precision.parameters:
            p.grad = torch.zeros_like(p)
        if state.precision.kind != "fp16":  # whose scaler reads a value
            state.precision.update(state.optimizer, experiment.train.clip)
        state.update_lookahead(experiment.train.lookahead.every, 1000)
        state.finish()
        logits = inference.evaluation_logits(state.net, train, experiment, WORLD)
        assert (logits.device.type, logits.dtype, logits.shape) == ("cpu", torch.float32, (64, 10))


@pytest.fixture
def flags():
    """Put the global settings of cuDNN and cuBLAS back."""
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before
    torch.set_float32_matmul_precision("highest")


def test_fp32_on_a_gpu_is_ieee_single_precision_and_cudnn_chooses_kernels(monkeypatch, flags):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    with joined() as world:
        assert world.device == GPU
        assert torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
        # torch.compile and new code read the same settings by their new names
        assert torch.backends.cudnn.conv.fp32_precision != "tf32"
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
