"""The measures of generated images, which GANs and CycleGANs share. Imports no torch."""

from dawn.config.task import Measure


def _checkerboard(key: str, where: str) -> Measure:
    return Measure(f"checkerboard_{key}", f"checkerboard, {where}", "dB", 2, "0", "any")


KID = Measure("kid", "KID-judge", "", 4, "lower", "any", log=True, decides=True)
OF_SAMPLES = (
    KID,
    Measure("kid_middle", "KID-judge, middle layer", "", 4, "lower", "any", log=True, decides=True),
    Measure("kid_random", "KID-judge, untrained network", "", 4, "lower", "any", log=True, decides=True),
    Measure("fd", "FD-judge", "", 3, "lower", "positive", log=True, decides=True),
    Measure("fd_middle", "FD-judge, middle layer", "", 3, "lower", "positive", log=True),
    Measure("fd_random", "FD-judge, untrained network", "", 3, "lower", "positive", log=True),
    Measure("precision", "precision", "", 3, "higher", "fraction", decides=True),
    Measure("recall", "recall", "", 3, "higher", "fraction", decides=True),
    Measure("density", "density", "", 3, "1", "positive"),
    Measure("density_distance", "density, distance from 1", "", 3, "lower", "positive", decides=True),
    Measure("coverage", "coverage", "", 3, "higher", "fraction", decides=True),
    Measure("class_accuracy", "class accuracy", "", 3, "higher", "fraction", decides=True),
    Measure("cas", "classification accuracy score (CAS)", "", 3, "higher", "fraction", decides=True),
    Measure("entropy", "entropy of the classes", "nats", 3, "higher", "positive"),
    Measure("total_variation", "distance from uniform classes", "", 3, "lower", "fraction"),
    Measure("c_t", "copying, C_T", "", 2, "0", "any"),
    Measure("c_t_distance", "copying, C_T, distance from 0", "", 2, "lower", "positive", decides=True),
    Measure("copied", "copies", "%", 2, "0", "any", decides=True),
    Measure("copied_middle", "copies, middle layer", "%", 2, "0", "any"),
    Measure("critic_gap", "critic gap", "", 3, "0", "any"),
    Measure("critic_gap_distance", "critic gap, distance from 0", "", 3, "lower", "positive", decides=True),
    Measure("checkerboard", "checkerboard", "dB", 2, "0", "any"),
    Measure("checkerboard_distance", "checkerboard, distance from 0", "dB", 2, "lower", "positive", decides=True),
    _checkerboard("x2", "horizontal, 2 pixels"), _checkerboard("x4", "horizontal, 4 pixels"),
    _checkerboard("y2", "vertical, 2 pixels"), _checkerboard("y4", "vertical, 4 pixels"),
)  # fmt: skip
