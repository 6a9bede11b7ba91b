"""An unpickler that makes plain data alone: the opcodes, names and sizes that a pickle of CIFAR needs are allowed.

Python 2 and 3 write them with protocols 2 to 5. The opcodes are checked before any is executed, since Python's
unpickler allocates what a length or a memo index claims. No name is imported: a name becomes a ``Call``, which writes
down its arguments and its state, for the caller to interpret.
"""

import io
import pickle
import pickletools
import re
from typing import Any

from dawn.core.cli import InputError, quoted

OPCODES = 1_000_000  # of one pickle; a batch of CIFAR-10 has about 50,000
TUPLES = 20_000  # of one pickle; the hash of a tuple that is nested 100,000 times deep overflows C's stack
ALLOWED = re.compile(
    "PROTO|FRAME|STOP|MARK|NONE|NEWTRUE|NEWFALSE|(BININT|TUPLE)[123]?|LONG1|(SHORT_)?BIN(STRING|UNICODE|BYTES)|BINBYTES8"
    "|BYTEARRAY8|EMPTY_(DICT|LIST|TUPLE)|APPENDS?|SETITEMS?|(LONG_)?BIN(PUT|GET)|MEMOIZE|(STACK_)?GLOBAL|REDUCE|BUILD"
)
NAMES = {  # as numpy 1 and 2 and Python 2 and 3 write them, to their names here
    "numpy.core.multiarray._reconstruct": "array",
    "numpy._core.multiarray._reconstruct": "array",
    "numpy.core.numeric._frombuffer": "frombuffer",
    "numpy._core.numeric._frombuffer": "frombuffer",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}


class Call:
    """A name of NAMES, the arguments it is called with (None before the call) and the state it is given."""

    def __init__(self, name: str, args: Any = None) -> None:
        self.name = name
        self.args = args
        self.state: Any = None

    def __call__(self, *args: Any) -> Any:
        """Write down a call."""
        return Call(self.name, args)

    def __setstate__(self, state: Any) -> None:
        self.state = state


class Encode(Call):
    """``_codecs.encode``, by which Python 3 writes bytes with protocol 2, for at most ``left`` characters."""

    def __init__(self, left: int) -> None:
        super().__init__("encode")
        self.left = left

    def __call__(self, text: Any, encoding: Any) -> bytes:
        """The bytes; InputError on another encoding, and on more text than there is in the pickle."""
        if not isinstance(text, str) or encoding != "latin1" or len(text) > self.left:
            raise InputError("calls _codecs.encode for other than its own bytes in 'latin1'")
        self.left -= len(text)
        return text.encode("latin-1")


class Unpickler(pickle.Unpickler):
    """Python's unpickler, which finds the names of NAMES and no others."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")
        self.encode = Encode(len(data))

    def find_class(self, module: str, name: str) -> Call:
        """The name as a ``Call``."""
        name = f"{module}.{name}"
        if name not in NAMES:
            raise InputError(f"names {quoted(name)}, which no CIFAR-10 pickle needs")
        return self.encode if NAMES[name] == "encode" else Call(NAMES[name])


def unpickled(data: bytes) -> object:
    """The value of a pickle; InputError on what is not allowed, on damage any exception that it leads to."""
    check(data)
    return Unpickler(data).load()


def check(data: bytes) -> None:
    """InputError on opcodes that are not allowed or too many, ValueError where the pickle is not whole."""
    tuples = 0
    for count, (opcode, argument, place) in enumerate(pickletools.genops(data)):  # ends after the first STOP
        tuples += opcode.name.startswith("TUPLE")
        if not ALLOWED.fullmatch(opcode.name):
            raise InputError(f"uses opcode {opcode.name}, which no CIFAR-10 pickle needs")
        if count >= OPCODES or tuples > TUPLES:
            raise InputError(f"has more than {OPCODES} opcodes or {TUPLES} tuples")
        if opcode.name == "LONG_BINPUT" and argument is not None and argument > count:
            raise InputError(f"numbers {argument} things, of which it can have {count}")
        if opcode.name == "STOP" and place != len(data) - 1:
            raise ValueError("bytes are left over after its end")
