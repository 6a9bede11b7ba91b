"""The stack of a pickle's opcodes: it makes plain data, and writes calls down in place of making them."""

from dataclasses import dataclass
from typing import Any, TypeVar

from dawn.core.cli import InputError, quoted

KEY = 80  # characters of a dictionary's key; the longest of CIFAR-10 is num_cases_per_batch
NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1"}
STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
BYTES = {"SHORT_BINSTRING", "BINSTRING"}  # Python 2's str
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
MEMO = {"BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET"}
COMPOSE = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "APPEND", "APPENDS", "SETITEM", "SETITEMS"}
CALLS = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"}
ALLOWED = NUMBERS | STRINGS | BYTES | CONSTANTS.keys() | MEMO | COMPOSE | CALLS
ALLOWED |= {"PROTO", "FRAME", "STOP", "MARK", "EMPTY_DICT", "EMPTY_LIST"}
NAMES = {  # as numpy 1 and 2 and Python 2 and 3 write them, to their names here
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


class PickleStack:
    """The stack of a pickle. Its methods raise LookupError, TypeError or ValueError on a damaged pickle."""

    def __init__(self, size: int) -> None:
        """For a pickle of so many bytes."""
        self.encodable = size  # characters that calls of _codecs.encode may still use up
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: object) -> None:
        """Execute one opcode of ALLOWED."""
        stack = self.stack
        if opcode in NUMBERS or opcode in STRINGS:
            stack.append(argument)
        elif opcode in MEMO:
            self.memoize(opcode, argument)
        elif opcode in COMPOSE:
            self.compose(opcode)
        elif opcode in CALLS:
            self.call(opcode, argument)
        elif opcode in CONSTANTS:
            stack.append(CONSTANTS[opcode])
        elif opcode in BYTES:
            stack.append(expect(argument, str).encode("latin-1"))
        elif opcode == "MARK":
            self.marks.append(len(stack))
        elif opcode in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if opcode == "EMPTY_DICT" else [])

    def memoize(self, opcode: str, argument: object) -> None:
        """Store the top of the stack in the memo, or put something of the memo on the stack."""
        if opcode in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[expect(argument, int)])
        else:
            self.memo[len(self.memo) if opcode == "MEMOIZE" else expect(argument, int)] = self.stack[-1]

    def compose(self, opcode: str) -> None:
        """Put several things of the stack into a tuple, a list or a dictionary."""
        if opcode.startswith("TUPLE"):
            self.stack.append(tuple(self.pop(int(opcode[5:] or -1))))
        elif opcode in ("APPEND", "APPENDS"):
            items = self.pop(1 if opcode == "APPEND" else -1)
            expect(self.stack[-1], list).extend(items)
        else:
            items = self.pop(2 if opcode == "SETITEM" else -1)
            expect(self.stack[-1], dict).update(zip(map(key, items[::2]), items[1::2], strict=True))

    def call(self, opcode: str, argument: object) -> None:
        """Write down a name, a call of it, or the state of its result."""
        if opcode == "GLOBAL":
            self.stack.append(named(expect(argument, str)))
        elif opcode == "STACK_GLOBAL":
            self.stack.append(named(" ".join(expect(part, str) for part in self.pop(2))))
        elif opcode == "REDUCE":
            function, args = self.pop(2)
            self.stack.append(self.result(expect(function, Call), expect(args, tuple)))
        else:
            (state,) = self.pop(1)
            expect(self.stack[-1], Call).state = state

    def pop(self, count: int) -> list[Any]:
        """The topmost ``count`` things, or with -1 those above the last mark, taken off the stack."""
        start = self.marks.pop() if count < 0 else len(self.stack) - count
        if not 0 <= start <= len(self.stack):
            raise IndexError("its stack runs empty")
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def result(self, function: Call, args: tuple[Any, ...]) -> bytes | Call:
        """The ``Call``; where Python 3 wrote bytes as a text to encode (protocol 2), those bytes."""
        if function.name != "encode":
            return Call(function.name, args)
        text, encoding = expect(args[0], str), args[1]
        self.encodable -= len(text)
        if encoding != "latin1" or self.encodable < 0:
            raise InputError("calls _codecs.encode for other than its own bytes in 'latin1'")
        return text.encode("latin-1")

    def value(self, rest: int) -> object:
        """The one value that is left; ValueError if it is not alone, or ``rest`` bytes follow the pickle."""
        if rest or len(self.stack) != 1:
            raise ValueError(f"{rest} bytes and {len(self.stack) - 1} values are left over")
        return self.stack[0]


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
    """A global, its module and name with a space between, as a ``Call``; InputError unless it is in NAMES."""
    if name not in NAMES:
        raise InputError(f"names {quoted(name.replace(' ', '.'))}, which no CIFAR-10 pickle needs")
    return Call(NAMES[name])
