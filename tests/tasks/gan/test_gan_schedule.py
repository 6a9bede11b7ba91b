"""The steps of critic and generator, against the notebook's loop written out, and the learning rates."""

import numpy as np
import pytest

from dawn.tasks.gan.schedule import generator_due, multiplier
from dawn.tasks.gan.settings import Gan


def notebook(passes, batches, first):
    """The steps of the lesson's loop: True for each critic step that a generator step follows."""
    due = []
    for epochs in passes:
        generator_steps = 0
        for _ in range(epochs):
            i = 0
            while i < batches:
                many = (first and generator_steps < 25) or generator_steps % 500 == 0
                j = 0
                while j < (100 if many else 5) and i < batches:
                    j, i = j + 1, i + 1
                    due.append(False)
                due[-1] = True
                generator_steps += 1
    return due


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("batches", [781, 2600, 3001])
def test_the_steps_are_those_of_the_notebook(first, batches):
    settings = Gan(critic_steps={"first": 25 if first else 0})
    assert generator_due(settings, 2 * batches, batches).tolist() == notebook([1, 1], batches, first)


def test_the_count_for_many_steps_goes_on_from_pass_to_pass():
    settings = Gan(phases=[[0, 1]], critic_steps={"every": 30, "many": 10, "usual": 2})
    due = generator_due(settings, 3 * 50, 50)
    gaps = np.diff(np.flatnonzero(np.concatenate([[True], due])))
    assert np.flatnonzero(gaps == 10).tolist() == [0, 30, 60]
    assert np.flatnonzero(gaps == 2).size == gaps.size - 3


def test_one_step_each():
    assert generator_due(Gan(critic_steps={"usual": 1, "every": 0}), 20, 10).all()


def test_the_learning_rate_is_that_of_the_phase_and_decays():
    lesson, linear = Gan(), Gan(phases=[[0, 1]], optimizer={"decay": "linear"})
    assert [multiplier(lesson, step, 100) for step in (0, 49, 50, 99)] == [1, 1, 0.1, 0.1]
    assert [multiplier(linear, step, 100) for step in (0, 25, 99)] == [1, 0.75, pytest.approx(0.01)]
