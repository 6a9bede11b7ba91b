"""Small trainings, in this process and as a step of their own."""

import csv

import torch
from conftest import experiment

from dawn.course import Course
from dawn.distributed import World
from dawn.interrupt import Interrupt

CPU = torch.device("cpu")
WORLD = World(0, 1, CPU)


class Never(Interrupt):
    def __init__(self):
        self.first, self.requested = True, False


def trained(data, tmp_path, seed=0, **over):
    course = Course(experiment(**over), data, data / "stats.json", seed, tmp_path / "state", WORLD)
    course.run(Never())
    return course


def weights(course):
    return [p.detach().clone() for p in course.training.net.parameters()]


def arguments(path, data, out, *more):
    return ["--params", path, "--data", data, "--stats", data / "stats.json", "--seed", 0, "--out", out, *more]


def read_curve(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))
