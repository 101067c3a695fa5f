"""A person's whole name as it is typed, in its two parts: without titles, degrees and suffixes."""

import re

# Invisible, and never part of a name; the joiners of Persian and Indic names stay.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
# Jane (Janie) Doe, Jane Doe (she/her).
_IN_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_COMMA = re.compile("[,\uff0c\u3001]")
_BETWEEN_DEGREES = re.compile(r"[/&+]")
_NOT_A_LETTER = re.compile(r"[\W_]+")


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _word_set("""
  mr mrs ms miss mx dr drs prof professor sir rev reverend herr frau monsieur madame mademoiselle
  mme mlle sr sra srta dott dottssa sigra signor signora senhor senhora dra dipling
""")
# Names too, unless they are shortened: `Sig. Rossi`, but Sig Hansen.
_SHORTENED_TITLES = _word_set("hon mag ing sig fr hr")
# What ends a name even without a comma.
_ENDINGS = _word_set("jr jnr sr snr ii iii iv phd md esq")
# What follows a whole name and a comma. `Nguyen, Do` is a name.
_DEGREES = _ENDINGS | _word_set("""
  junior senior v dphil drphil edd psyd pharmd dds dmd dvm dnp do mph mba emba ma msc ms msn meng
  mfa mat mpa mls mbbs llm llb jd ba bs bsc bsn bfa beng bcom rn np lpn crna aprn fnp pmhnp cnm pa
  pac pt dpt ot otr rph lcsw lmft lpc bcba cpa cfa cfp cma cissp pmp phr sphr shrmcp shrmscp aia
  pe ra pls frcs frcp facp facs facc fache esquire obe mbe cbe qc kc
""")
_SPACED_DEGREES = _word_set("phd dphil")
_POSTS_AND_COMPANIES = _word_set("""
  ceo cto cfo coo cmo cio ciso cro vp svp evp avp founder cofounder owner president director manager
  realtor inc llc llp ltd limited plc corp corporation gmbh ag kg sas sarl srl spa bv pty
""")
# Shorter ones are written in capitals where they are no names.
_MAX_AMBIGUOUS_CHARACTERS = 3
_WHOLE_NAME_WORDS = 2


def split_name(full: str) -> tuple[str | None, str | None]:
    """The first and the last name: `Jane van Dyke` after the first word, `Doe, Jane` at the comma.

    `Dr. Jane Doe, PhD` is Jane Doe, and `Mr. Doe` has no first name.
    """
    visible = _IN_BRACKETS.sub(" ", _INVISIBLE.sub("", full))
    parts = [name_words for part in _COMMA.split(visible) if (name_words := part.split())]
    bare = [_without_title(name_words) for name_words in parts]
    names = [_without_ending(name_words) for name_words in _without_degrees(bare)]
    has_title = bare != parts
    # `Doe, Jane`: the first name is behind the comma.
    name_words = [word for part in (*names[1:], *names[:1]) for word in part]
    if has_title and len(name_words) == 1:
        return None, name_words[0]
    return " ".join(name_words[:1]) or None, " ".join(name_words[1:]) or None


def without_invisible(name: str) -> str | None:
    """A name without the characters that nobody sees; None if nothing is left."""
    return _INVISIBLE.sub("", name).strip() or None


def _without_degrees(parts: list[list[str]]) -> list[list[str]]:
    names = parts[:1]
    for part in parts[1:]:
        is_behind_whole_name = sum(map(len, names)) >= _WHOLE_NAME_WORDS
        if not _is_degree(part, is_behind_whole_name=is_behind_whole_name):
            names.append(part)
    return names


def _is_degree(part: list[str], *, is_behind_whole_name: bool) -> bool:
    # `Ph. D.` is one degree, `MD/PhD` are two.
    if _plain("".join(part)) in _SPACED_DEGREES:
        return True
    name_words = [word for typed in part for word in _BETWEEN_DEGREES.split(typed)]
    plain = [_plain(word) for word in name_words]
    if not is_behind_whole_name:
        return all(word in _ENDINGS for word in plain)
    # A company is known by its last word: `Jane Doe, Acme Widgets Inc.`
    return plain[-1] in _POSTS_AND_COMPANIES or all(
        word in _ENDINGS or (word in _DEGREES and _is_written_as_degree(typed))
        for typed, word in zip(name_words, plain, strict=True)
    )


def _is_written_as_degree(word: str) -> bool:
    return word.isupper() or len(_plain(word)) > _MAX_AMBIGUOUS_CHARACTERS


def _without_title(name_words: list[str]) -> list[str]:
    while len(name_words) > 1 and _is_title(name_words[0]):
        name_words = name_words[1:]
    return name_words


def _is_title(word: str) -> bool:
    plain = _plain(word)
    return plain in _TITLES or (plain in _SHORTENED_TITLES and word.endswith("."))


def _without_ending(name_words: list[str]) -> list[str]:
    while len(name_words) > 1 and _plain(name_words[-1]) in _ENDINGS:
        name_words = name_words[:-1]
    return name_words


def _plain(word: str) -> str:
    """`Ph.D.` as `phd`, `Dipl.-Ing.` as `dipling`."""
    return _NOT_A_LETTER.sub("", word).lower()
