"""Addresses as files and messages may show them: without passwords and signatures, and without this machine's folders.

Settings hold an address as ``published`` returns it, so that no file made from settings has a secret; only what opens
it uses the text that was written (``Address.whole``). ``redacted`` is for messages, which may quote anything.
"""

import os
import re
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "REDACTED"
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")  # ${NAME} in an address: a variable of the environment
HARMLESS = re.compile(rf"{HIDDEN}|[0-9]{{0,2}}|true|false|yes|no|raw|media|download|({VARIABLE.pattern}:?)+")
ADDRESS = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/?#]*@)?[^\s"'<>]*""")
PUNCTUATION = re.compile(r"[]):;,.}]*$")
PAIR = re.compile(
    r"""(?<=[?&])([\w.~-]+=)([^\s&#"'<>()]*[^\s&#"'<>():;,.])"""
)  # of a query, also where a message has no host before it
WORD = re.compile(r"[a-z]+|.{1,5}")  # too common to be replaced wherever it is

_known: dict[str, str] = {}  # secrets that this process has read, and what is shown in place of them


class Address(str):
    """An address as it may be published; ``whole`` is the text that was written."""

    whole: str

    def __new__(cls, text: str) -> "Address":
        """Hide what is secret in a text; one that is published already stays as it is."""
        address = super().__new__(cls, published(text))
        address.whole = getattr(text, "whole", text)
        learn(address.whole, str(address))
        return address


def learn(whole: str, shown: str) -> None:
    """Let ``redacted`` show an address, and the secrets in it, as ``shown`` has them."""
    if is_remote(whole) and whole != shown:
        _note({*_parts(whole)} - {*_parts(shown)})
        _known[whole] = shown


def published(text: str) -> str:
    """Return an address without secrets; of a local path outside the working directory the name of the file."""
    if is_remote(text):
        return _without_secrets(text)
    path = PurePath(unquote(urlsplit(text).path) if text.lower().startswith("file:") else text)
    name = path.name if path.is_absolute() or ".." in path.parts or text.startswith("~") else text
    return re.sub(r"^[^/@\s]*:[^/@\s]*@", f"{HIDDEN}@", name) or text


def is_remote(text: str) -> bool:
    """Return whether an address is no file of this machine."""
    return ("://" in text and not text.lower().startswith("file:")) or VARIABLE.match(text) is not None


def redacted(text: str) -> str:
    """Return a text in which every address, and every secret that this process has read, is hidden."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, _known[secret])
    if "://" in text:
        text = ADDRESS.sub(_in_text, text)
    return PAIR.sub(lambda pair: pair[1] + _shown(pair[2]), text) if "=" in text else text


def hide(text: str, addresses: Iterable[str]) -> str:
    """Return a text such as a file of settings or a command, in which these addresses are published ones."""
    for address in sorted(set(addresses), key=len, reverse=True):
        text = text.replace(address, published(address))
    return redacted(text)


def expanded(text: str) -> str:
    """Return an address with the values of the variables that it names; raise KeyError for one that is not set."""
    if not is_remote(text):
        return text
    _note(os.environ.get(name, "") for name in VARIABLE.findall(text))
    return VARIABLE.sub(lambda name: os.environ[name[1]], text)


def _without_secrets(url: str) -> str:
    """Return a URL without user, password, fragment and the values of its query; harmless values stay."""
    scheme, separator, rest = url.partition("://")
    if "@" in rest and _is_torn(url):  # a password with a slash, or no URL at all
        rest = f"{HIDDEN}@{rest.rpartition('@')[2]}"
    rest, hash_, fragment = rest.partition("#")
    rest, mark, query = rest.partition("?")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    user = _shown(user)
    path = re.sub(r"(?<=;)[^/;]+", lambda value: _shown(value[0]), path)
    query = re.sub(r"[^&;]+", lambda pair: _value_hidden(pair[0]), query)
    return f"{scheme}{separator}{user}{at}{host}{slash}{path}{mark}{query}{hash_}{_shown(fragment)}"


def _is_torn(url: str) -> bool:
    """Return whether what is before the first slash is no host with a port, or may be half of a password."""
    place = urlsplit(url.replace("[", "").replace("]", "")).netloc
    return "@" not in place and ":" in place


def _value_hidden(pair: str) -> str:
    """Return a pair of a query without its value; a text without a name, such as a token, is hidden as a whole."""
    name, sign, value = pair.partition("=")
    return f"{name}={_shown(value)}" if sign and value.strip("=") else _shown(pair)


def _shown(value: str) -> str:
    """Return a value if it is harmless."""
    return value if HARMLESS.fullmatch(value) else HIDDEN


def _parts(url: str) -> list[str]:
    """Return the words of a URL."""
    return re.split("[/?&;=#@:]+", url)


def _note(secrets: Iterable[str]) -> None:
    """Add secrets, and their other notations, to those that ``redacted`` replaces."""
    forms = {form for text in secrets for form in (text, unquote(text), quote(unquote(text), safe=""))}
    _known.update(dict.fromkeys((form for form in forms if form and not WORD.fullmatch(form)), HIDDEN))


def _in_text(match: re.Match[str]) -> str:
    """Hide the secrets of an address in a text, where punctuation may follow it."""
    end = PUNCTUATION.search(match[0])
    cut = end.start() if end else len(match[0])
    return _without_secrets(match[0][:cut]) + match[0][cut:]
