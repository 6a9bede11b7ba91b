"""An unpickler that runs nothing: it knows the opcodes of plain data, and the names that numpy arrays need.

It reads what Python 2 and 3 write with protocols 2 to 5. A name in the pickle is never imported and never
called: it becomes a ``Call`` record with its arguments and its state, for the caller to understand.
"""

import pickletools
import warnings
from dataclasses import dataclass
from typing import Any, TypeVar

from dawn.core.cli import InputError, quoted

OPCODES = 1_000_000  # of one pickle; a batch of CIFAR-10 has about 50,000
KEY = 80  # characters of a dictionary's key; the longest of CIFAR-10 is num_cases_per_batch
NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1"}
STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
NAMES = {  # as numpy 1 and 2 and Python 2 and 3 write them, to what they are called here
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy.core.numeric _frombuffer": "frombuffer",
    "numpy._core.numeric _frombuffer": "frombuffer",
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
}


T = TypeVar("T")


@dataclass(eq=False)
class Call:
    """A name of NAMES, the arguments it is called with (None before the call) and the state it is given."""

    name: str
    args: Any = None
    state: Any = None


class Machine:
    """The stack of a pickle. Its methods raise LookupError, TypeError or ValueError on a damaged pickle."""

    def __init__(self, size: int) -> None:
        """For a pickle of so many bytes."""
        self.encodable = size  # characters that calls of _codecs.encode may still use up
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: object) -> None:
        """Execute one opcode; InputError naming it, or the global it names, if it is not allowed."""
        stack = self.stack
        if opcode in NUMBERS or opcode in STRINGS:
            stack.append(argument)
        elif opcode in CONSTANTS:
            stack.append(CONSTANTS[opcode])
        else:
            match opcode:
                case "SHORT_BINSTRING" | "BINSTRING":
                    stack.append(expect(argument, str).encode("latin-1"))  # Python 2's str
                case "BINPUT" | "LONG_BINPUT":
                    self.memo[expect(argument, int)] = stack[-1]
                case "MEMOIZE":
                    self.memo[len(self.memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(self.memo[expect(argument, int)])
                case "PROTO" | "FRAME" | "STOP":
                    pass
                case "MARK":
                    self.marks.append(len(stack))
                case "EMPTY_DICT" | "EMPTY_LIST":
                    stack.append({} if opcode == "EMPTY_DICT" else [])
                case _:
                    self.compose(opcode, argument)

    def compose(self, opcode: str, argument: object) -> None:
        """Execute an opcode that makes one thing of several on the stack."""
        stack = self.stack
        match opcode:
            case "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self.pop(int(opcode[5:] or -1))))
            case "APPEND" | "APPENDS":
                items = self.pop(1 if opcode == "APPEND" else -1)
                expect(stack[-1], list).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self.pop(2 if opcode == "SETITEM" else -1)
                expect(stack[-1], dict).update(zip(map(key, items[::2]), items[1::2], strict=True))
            case "GLOBAL":
                stack.append(named(expect(argument, str)))
            case "STACK_GLOBAL":
                stack.append(named(" ".join(expect(part, str) for part in self.pop(2))))
            case "REDUCE":
                function, args = self.pop(2)
                stack.append(self.called(expect(function, Call), expect(args, tuple)))
            case "BUILD":
                (state,) = self.pop(1)
                expect(stack[-1], Call).state = state
            case _:
                raise InputError(f"uses opcode {opcode}, which no CIFAR-10 pickle needs")

    def pop(self, count: int) -> list[Any]:
        """The topmost ``count`` things, or with -1 those above the last mark, taken off the stack."""
        start = self.marks.pop() if count < 0 else len(self.stack) - count
        if not 0 <= start <= len(self.stack):
            raise IndexError("its stack runs empty")
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def called(self, function: Call, args: tuple[Any, ...]) -> bytes | Call:
        """The record of a call; where Python 3 wrote bytes as a text to encode (protocol 2), those bytes."""
        if function.name != "encode":
            return Call(function.name, args)
        text, encoding = expect(args[0], str), args[1]
        self.encodable -= len(text)
        if encoding != "latin1" or self.encodable < 0:
            raise InputError("calls _codecs.encode for other than its own bytes in 'latin1'")
        return text.encode("latin-1")


def unpickled(data: bytes | bytearray) -> object:
    """The value of a pickle; InputError on what is not allowed, and ValueError and the like on damage."""
    machine = Machine(len(data))
    end = 0
    with warnings.catch_warnings():  # of invalid escape sequences, in strings that are refused anyway
        warnings.simplefilter("ignore", DeprecationWarning)
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
            if count >= OPCODES:
                raise InputError(f"has more than {OPCODES} opcodes")
            machine.step(opcode.name, argument)
            end = (position or 0) + 1
    if end != len(data) or len(machine.stack) != 1:
        raise ValueError(f"{len(data) - end} bytes and {len(machine.stack) - 1} values are left over")
    return machine.stack[0]


def expect(value: object, kind: type[T]) -> T:
    """The value itself; TypeError unless it is of that kind."""
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} where a {kind.__name__} is expected")
    return value


def key(value: object) -> str:
    """A key of a dictionary as text, be it text or bytes; InputError on a long one, whose copies would take long."""
    text = value if isinstance(value, bytes) else expect(value, str)
    if len(text) > KEY:
        raise InputError(f"has a dictionary key of {len(text)} characters, at most {KEY} are allowed")
    return text.decode() if isinstance(text, bytes) else text


def named(name: str) -> Call:
    """The record of a global, its module and name with a space between; InputError unless it is in NAMES."""
    if name not in NAMES:
        raise InputError(f"names {quoted(name.replace(' ', '.'))}, which no CIFAR-10 pickle needs")
    return Call(NAMES[name])
