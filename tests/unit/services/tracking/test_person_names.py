import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.person_names import split_name, without_invisible


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Jane Doe", "Jane", "Doe"),
        ("Jane", "Jane", None),
        ("Jane van Dyke", "Jane", "van Dyke"),
        ("Doe, Jane", "Jane", "Doe"),
        ("DOE, JANE", "JANE", "DOE"),
        ("van Dyke, Jane", "Jane", "van Dyke"),
        ("de la Cruz, ANA", "ANA", "de la Cruz"),
        ("Doe\uff0cJane", "Jane", "Doe"),
        ("  Jane   Doe ", "Jane", "Doe"),
        ("Jane,", "Jane", None),
        (",", None, None),
        ("", None, None),
    ],
)
def test_a_whole_name_has_two_parts(full: str, first: str | None, last: str | None) -> None:
    assert split_name(full) == (first, last)


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Jane Doe-Smith, PhD", "Jane", "Doe-Smith"),
        ("Jane Doe-Smith, Ph.D.", "Jane", "Doe-Smith"),
        ("Jane Doe, Ph. D.", "Jane", "Doe"),
        ("Robert Smith, Jr.", "Robert", "Smith"),
        ("Robert Smith, jr", "Robert", "Smith"),
        ("Robert Smith Jr.", "Robert", "Smith"),
        ("Robert Smith III", "Robert", "Smith"),
        ("Robert Smith, III", "Robert", "Smith"),
        ("Robert Smith, V", "Robert", "Smith"),
        ("Robert Smith, Jr., MD", "Robert", "Smith"),
        ("Jane A. Doe, MD, MPH", "Jane", "A. Doe"),
        ("Jane A. Doe, M.D., M.P.H.", "Jane", "A. Doe"),
        ("Jane Doe MD", "Jane", "Doe"),
        ("Jane Doe, MD MPH", "Jane", "Doe"),
        ("Jane Doe, MD/PhD", "Jane", "Doe"),
        ("Jane Doe, PMP, SHRM-CP", "Jane", "Doe"),
        ("Jane Doe, CPA", "Jane", "Doe"),
        ("Jane Doe, RN", "Jane", "Doe"),
        ("Jane Doe, MA", "Jane", "Doe"),
        ("Jane Doe, Esq.", "Jane", "Doe"),
        ("Jane Doe, CEO", "Jane", "Doe"),
        ("Jane Doe, Acme Widgets Inc.", "Jane", "Doe"),
        ("Doe, Jane, PhD", "Jane", "Doe"),
        ("Doe, Jane A., MD, MPH", "Jane", "A. Doe"),
        ("King, Martin Luther, Jr.", "Martin", "Luther King"),
        ("Smith Jr., Robert", "Robert", "Smith"),
        ("Jane, PhD", "Jane", None),
        # Families whose name is somebody else's degree.
        ("Nguyen, Do", "Do", "Nguyen"),
        ("Yo-Yo Ma", "Yo-Yo", "Ma"),
        ("Ma, Yo-Yo", "Yo-Yo", "Ma"),
        ("Joseph Mba", "Joseph", "Mba"),
        ("Doe Roe, Ma", "Ma", "Doe Roe"),
    ],
)
def test_degrees_and_suffixes_are_no_part_of_a_name(
    full: str, first: str | None, last: str | None
) -> None:
    assert split_name(full) == (first, last)


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Dr. Jane Doe", "Jane", "Doe"),
        ("Prof. Dr. Jane Doe", "Jane", "Doe"),
        ("Mrs Jane Doe", "Jane", "Doe"),
        ("Frau Jane Doe", "Jane", "Doe"),
        ("Mme Jane Doe", "Jane", "Doe"),
        ("Sr. Juan Doe", "Juan", "Doe"),
        ("Dipl.-Ing. Jane Doe", "Jane", "Doe"),
        ("Sig. Mario Rossi", "Mario", "Rossi"),
        ("Sig Hansen", "Sig", "Hansen"),
        ("Doe, Dr. Jane", "Jane", "Doe"),
        ("Dr. Jane Doe, PhD", "Jane", "Doe"),
        ("Mr. Doe", None, "Doe"),
        ("Dr. Doe, MD", None, "Doe"),
        ("M. Night Shyamalan", "M.", "Night Shyamalan"),
        ("Dr.", "Dr.", None),
        ("Jr.", "Jr.", None),
    ],
)
def test_titles_are_no_part_of_a_name(full: str, first: str | None, last: str | None) -> None:
    assert split_name(full) == (first, last)


@pytest.mark.parametrize(
    "full",
    [
        "Jane (Janie) Doe",
        "Jane Doe (she/her)",
        "Jane\u200b Doe\u200e",
        "\ufeffJa\u00adne D\u2060oe",
    ],
)
def test_what_nobody_says_or_sees_is_left_out(full: str) -> None:
    assert split_name(full) == ("Jane", "Doe")


def test_a_name_of_nothing_visible_is_none() -> None:
    assert without_invisible("\u200bJane\u200e") == "Jane"
    assert without_invisible("\u200b\u2060") is None
    # Persian names are written with it.
    joined = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    assert without_invisible(joined) == joined


@given(st.text(st.sampled_from("JaneDoe ,.()-\u200b") | st.characters(), max_size=40))
def test_any_text_has_two_parts_or_less(text: str) -> None:
    first, last = split_name(text)
    assert first is None or (first and " " not in first)
    assert last is None or last.strip() == last
