"""The phases of a training's clock: which of them count as its time, and what is done in each."""

PHASES = {  # in the order in which they begin
    "load": "copying the arrays to the device",
    "build": "building the network",
    "compile": "torch.compile, CUDA graphs, and the warm-up of both",
    "whiten": "whitening filters of the first layer",
    "train": "training steps with their augmentation",
    "monitor": "evaluation of the test or held-out split between epochs",
    "save": "checkpoints",
    "evaluate": "final evaluation of the test split",
}
TRAINING = ("whiten", "train")
TIMED = (*TRAINING, "evaluate")
UNTIMED = tuple(phase for phase in PHASES if phase not in TIMED)
