"""What a form is for: one that serves people who are known already is no lead."""

import re
import unicodedata
from itertools import pairwise
from typing import Literal
from urllib.parse import unquote_plus

from services.tracking.purpose_words import (
    ACCOUNT_PAGE,
    DOOR,
    KNOWN_ALONE,
    KNOWN_FOLDER,
    KNOWN_PEOPLE,
    LANGUAGE,
    LOGIN_PAGE,
    NEW_PEOPLE,
    OFFER,
    SALES_FOLDER,
    SMALL_WORDS,
)

_MAX_CHARACTERS = 2_000
_MAX_TEXT = 300
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")
# What divides a text into sentences, each of which may say what the form is for.
_SENTENCE_END = re.compile(r"[.!?\u00bf\u00a1:;|\u2013\u2014\u00b7\u2022]|\s-\s")

_MANY_WORDS = 3
# The first lines of a form's text, of which a button may have more, and the last: its id, name,
# classes and action.
_TEXTS = 3
_ATTRIBUTES = 4


def serves_known_people(form_text: object, page_url: str) -> bool:
    """Whether a form serves people who are known: a lost password, an order's tracking.

    `form_text` is what the pixel sends of the form: its button, its heading, its id, name, classes
    and action, in lines. False is the owner's word that it is a lead. Without a form a script said
    who is there, which on the pages of an account is no lead.
    """
    if form_text is False:
        return False
    if not isinstance(form_text, str):
        names = [segment for segment in path_segments(page_url) if segment]
        return bool(names) and ACCOUNT_PAGE.fullmatch(names[-1]) is not None
    lines = form_text[:_MAX_CHARACTERS].split("\n")
    end = max(_TEXTS, len(lines) - _ATTRIBUTES)
    texts, names, action = lines[:end], " ".join(lines[end:-1]).split(), "".join(lines[end:][-1:])
    # The first text that says something decides. `Enter` is a login's if no heading says more.
    if people := next(filter(None, map(_people_of, texts + names)), None):
        return people == "known"
    spoken_texts = [plain for text in texts if (plain := plain_words(text))]
    if serves_account(f"x://x/{action}") or (spoken_texts and DOOR.fullmatch(spoken_texts[-1])):
        return True
    return not NEW_PEOPLE.search(plain_words(action)) and serves_account(page_url)


def _people_of(text: str) -> Literal["known", "new"] | None:
    """Whether a text names known people or new ones, if either."""
    text = text[:_MAX_TEXT]
    plain_text = plain_words(text)
    if any(map(_is_of_known_people, sentences(text))):
        return "new" if OFFER.search(plain_text) else "known"
    return "new" if NEW_PEOPLE.search(plain_text) else None


def _is_of_known_people(sentence: str) -> bool:
    """Whether a sentence is of people who are known, and of little else."""
    return _other_words(KNOWN_PEOPLE, sentence) < _MANY_WORDS or not _other_words(
        KNOWN_ALONE, sentence
    )


def _other_words(pattern: re.Pattern[str], sentence: str) -> int:
    """How many words stand beside what was found; as many as make no sense if nothing was."""
    rest, matches = pattern.subn(" ", sentence)
    neighbours = [word for word in rest.split() if word not in SMALL_WORDS and not word.isdigit()]
    return len(neighbours) if matches else _MANY_WORDS


def serves_account(url: str) -> bool:
    """Whether a page serves an existing account, by its path: unsubscribe, reset a password."""
    segments = path_segments(url)
    if any(map(SALES_FOLDER.fullmatch, segments)):
        return False
    if any(_is_of_known_people(name) and not OFFER.search(name) for name in segments):
        return True
    if any(KNOWN_FOLDER.fullmatch(" ".join(pair)) for pair in pairwise(segments)):
        return True
    names = [name for name in segments if not LANGUAGE.fullmatch(name)]
    return bool(names) and LOGIN_PAGE.fullmatch(names[0]) is not None


def path_segments(url: str) -> list[str]:
    """The parts of an address's path, and of a route in its fragment, in plain words."""
    address, _, fragment = url.partition("#")
    path = address.partition("?")[0].partition("://")[2].partition("/")[2]
    route = fragment.partition("?")[0]
    return [plain_words(segment.partition(".")[0]) for segment in f"{path}/{route}".split("/")]


def sentences(text: str) -> list[str]:
    """The sentences of a text, each in plain words."""
    return [plain_words(part) for part in _SENTENCE_END.split(text)]


def plain_words(text: str) -> str:
    """Words in lower case and plain letters: `Thank-You%21` as `thank you`."""
    decoded = unicodedata.normalize("NFKD", _CAMEL_CASE.sub(" ", unquote_plus(text)))
    return " ".join(_WORD.findall(decoded.encode("ascii", "ignore").decode().lower()))
