"""An unpickler that runs nothing: it reads the opcodes of plain data, and the names that numpy arrays need.

It reads what Python 2 and 3 write with protocols 2 to 5. A name in the pickle is never imported and never
called: it becomes a ``Call`` with its arguments and its state, for the caller to interpret.
"""

import io
import pickletools

from dawn.core.cli import InputError
from dawn.data.archive.pickle_stack import ALLOWED, PickleStack

OPCODES = 1_000_000  # of one pickle; a batch of CIFAR-10 has about 50,000
KNOWN = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}


def unpickled(data: bytes | bytearray) -> object:
    """The value of a pickle; InputError on what is not allowed, and ValueError and the like on damage."""
    stream, stack = io.BytesIO(data), PickleStack(len(data))
    for _ in range(OPCODES):
        opcode = KNOWN[stream.read(1)]
        if opcode.name not in ALLOWED:
            raise InputError(f"uses opcode {opcode.name}, which no CIFAR-10 pickle needs")
        stack.step(opcode.name, argument(opcode, stream))
        if opcode.name == "STOP":
            return stack.value(len(data) - stream.tell())
    raise InputError(f"has more than {OPCODES} opcodes")


def argument(opcode: pickletools.OpcodeInfo, stream: io.BytesIO) -> object:
    """The argument that follows an opcode, None where there is none; ValueError where it is cut off."""
    if opcode.name == "GLOBAL":  # pickletools interprets backslashes in it
        return " ".join(stream.readline().removesuffix(b"\n").decode("ascii") for _ in range(2))
    return opcode.arg.reader(stream) if opcode.arg else None
