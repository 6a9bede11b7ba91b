"""The losses of a CycleGAN and its image pool, by their definitions."""

import random

import pytest
import torch

from dawn.tasks.cycle.losses import absolute, adversarial, critic_loss
from dawn.tasks.cycle.pool import ImagePool, swaps

CPU = torch.device("cpu")


def test_the_losses_of_known_scores():
    real, fake = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 2.0]])
    assert adversarial(fake) == ((0 - 1) ** 2 + (2 - 1) ** 2) / 2
    assert critic_loss(real, fake) == ((0 + 4) / 2 + (0 + 4) / 2) / 2
    assert critic_loss(torch.ones(5), torch.zeros(5)) == 0
    assert absolute(torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0])) == (0.5 + 3) / 2


def test_the_gradient_of_the_generators_loss_pulls_scores_to_1():
    scores = torch.tensor([0.25, 1.0, 4.0], requires_grad=True)
    adversarial(scores).backward()
    assert torch.allclose(scores.grad, 2 * (scores.detach() - 1) / 3)


def images(*values):
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()


def values(tensor):
    return tensor[:, 0, 0, 0].tolist()


def naive(size, batches, draws):
    """The pool as a list, an image at a time: what each batch is replaced by."""
    stored, out = [], []
    for batch, (chances, slots) in zip(batches, draws, strict=True):
        for image, chance, slot in zip(batch, chances, slots, strict=True):
            if len(stored) < size:
                stored.append(image)
                out.append(image)
            elif chance > 0.5:
                stored[slot], old = image, stored[slot]
                out.append(old)
            else:
                out.append(image)
    return out, stored


@pytest.mark.parametrize(("size", "batch"), [(1, 1), (3, 1), (3, 4), (5, 2), (50, 8)])
def test_a_pool_swaps_as_a_list_that_is_filled_an_image_at_a_time(size, batch, monkeypatch):
    made = random.Random(size)
    draws = [([made.random() for _ in range(batch)], [made.randrange(size) for _ in range(batch)]) for _ in range(40)]
    monkeypatch.setattr("dawn.tasks.cycle.pool.stream", lambda *name: Draws(*draws[name[-1]]))
    pool = ImagePool(size, 2, 0, "a", CPU)
    batches = [[1 + step * batch + i for i in range(batch)] for step in range(40)]
    seen = [value for step, batch in enumerate(batches) for value in values(pool.exchange(images(*batch), step))]
    expected, stored = naive(size, batches, draws)
    assert seen == expected
    assert values(pool.images)[: len(stored)] == stored


class Draws:
    """A generator that gives these numbers."""

    def __init__(self, chances, slots):
        self.chances, self.slots = torch.tensor(chances, dtype=torch.float64), torch.tensor(slots)

    def random(self, count):
        return self.chances

    def integers(self, low, high, count):
        return self.slots


def test_half_of_what_a_full_pool_gives_is_older():
    pool = ImagePool(50, 2, 0, "a", CPU)
    older = 0
    for step in range(550):
        older += values(pool.exchange(images(step), step)) != [step]
    assert 200 < older < 300  # of 500; the first 50 fill it


def test_a_pool_of_another_seed_or_name_draws_others_and_the_same_one_the_same():
    def seen(seed, name):
        pool = ImagePool(4, 2, seed, name, CPU)
        return [values(pool.exchange(images(step), step))[0] for step in range(60)]

    assert seen(0, "a") == seen(0, "a")
    assert seen(0, "a") != seen(0, "b")
    assert seen(0, "a") != seen(1, "a")


def test_a_pool_continues_from_its_images_and_the_step_alone():
    whole, first, second = (ImagePool(5, 2, 3, "b", CPU) for _ in range(3))
    expected = [values(whole.exchange(images(2 * step, 2 * step + 1), step)) for step in range(30)]
    for step in range(11):
        first.exchange(images(2 * step, 2 * step + 1), step)
    second.images.copy_(first.images)
    assert [values(second.exchange(images(2 * s, 2 * s + 1), s)) for s in range(11, 30)] == expected[11:]


def test_no_pool_gives_the_newest_and_no_gradient_passes_a_pool():
    assert values(ImagePool(0, 2, 0, "a", CPU).exchange(images(7, 8), 3)) == [7, 8]
    assert swaps(2, 2, [0.5, 0.6], [0, 1]) == ([2, 1], [0, 3])  # a chance of 1/2 shows the new one
