"""Stand-ins for the streams and graphs of torch.cuda on a CPU: a graph replays the last update that ran inside it."""

from contextlib import contextmanager


class Stream:
    """A stream; everything runs at once."""

    def wait_stream(self, other):
        """Nothing runs elsewhere."""


class Graph:
    """A captured update with its arguments and the loss that it wrote."""

    work = None

    def replay(self):
        """Run the update again and write its loss in place."""
        update, parts, total = self.work
        total.copy_(update(parts))


class Updates:
    """The updates of a training in their order, of which a capture contains one."""

    def __init__(self):
        self.ran = []

    @contextmanager
    def graph(self, made):
        """What runs inside is what the graph replays."""
        before = len(self.ran)
        yield
        assert len(self.ran) == before + 1
        made.work = self.ran[-1]

    def followed(self, capture):
        """The capture, for a state whose updates are kept."""

        def following(state, images, labels):
            if "update" not in vars(state):
                state.update = self.kept(state.update)
            return capture(state, images, labels)

        return following

    def kept(self, update):
        """The update, which is kept with its arguments and loss each time that it runs."""

        def keeping(parts):
            total = update(parts)
            self.ran.append((update, parts, total))
            return total

        return keeping
