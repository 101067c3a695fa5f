import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.form_data import Lead, own_addresses, read_lead, read_lead_from_url

JANE = "jane@example.com"
# As keyboards for Chinese and Japanese write it.
WIDE = {letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}


def name_in(**form: object) -> tuple[str | None, str | None]:
    lead = read_lead(form)
    return (None, None) if lead is None else (lead.first_name, lead.last_name)


# How it is packed


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_form_may_be_encoded_twice(times: int) -> None:
    form: object = {"email": JANE, "first_name": "Jane", "last_name": "Doe"}
    for _ in range(times):
        form = json.dumps(form)
    assert read_lead(form) == Lead(JANE, "Jane", "Doe")


@pytest.mark.parametrize(
    "form",
    [
        {"email": [JANE]},
        {"email": {"value": JANE}},
        {"email": {"label": "Your e-mail", "value": JANE, "required": True}},
        {"email": {"0": {"value": [JANE]}}},
        {"properties": {"email": JANE}},
        {"form_fields": {"email": JANE}},
        {"wpforms": {"fields": {"1": {"primary": JANE}}}},
    ],
)
def test_a_value_may_be_wrapped(form: dict[str, object]) -> None:
    assert read_lead(form) == Lead(JANE, None, None)


@pytest.mark.parametrize(
    "form",
    [
        # What jQuery's serializeArray() and serialize() make of a form.
        [{"name": "email", "value": JANE}, {"name": "first_name", "value": "Jane"}],
        [
            {"name": "email", "value": ""},
            {"name": "email", "value": JANE},
            {"name": "fname", "value": "Jane"},
        ],
        [["email", JANE], ["first_name", "Jane"], ["agreed", True]],
        "email=jane%40example.com&first_name=Jane",
        "first_name=Jane&message=&your%5Bemail%5D=Jane%40Example.com&tel=%2B49",
        # Of HubSpot's forms.
        {
            "fields": [
                {"objectTypeId": "0-1", "name": "email", "value": JANE},
                {"name": "firstname", "value": "Jane"},
            ]
        },
        [{"email": JANE, "first_name": "Jane"}],
    ],
)
def test_a_form_may_be_a_list_or_the_text_of_parameters(form: object) -> None:
    for packed in (
        form,
        json.dumps(form),
        json.dumps(json.dumps(form)),
        f"\ufeff{json.dumps(form)}",
    ):
        assert read_lead(packed) == Lead(JANE, "Jane", None)
        assert own_addresses(packed) == {JANE}


@pytest.mark.parametrize(
    "text", [JANE, f"Jane <{JANE}>", json.dumps(f"Jane <{JANE}>"), {"email": f"Jane <{JANE}>"}]
)
def test_an_address_alone_or_behind_a_name_is_a_lead(text: object) -> None:
    assert read_lead(text) == Lead(JANE, None, None)


@pytest.mark.parametrize(
    "form",
    [
        "friend_email=jane%40example.com",
        [["friend_email", JANE]],
        [{"name": "friend_email", "value": JANE}],
    ],
)
def test_another_person_is_none_however_the_form_is_packed(form: object) -> None:
    assert read_lead(form) is None
    assert own_addresses(form) == frozenset()


def test_a_label_is_not_the_value() -> None:
    field = {"label": "First name", "value": "Jane", "type": "text"}
    assert read_lead({"first_name": field}) == Lead(None, "Jane", None)


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        True,
        7,
        1.5,
        "",
        "null",
        "jane",
        "jane@example",
        "a = b",
        "message=write to jane@example.com",
        "{",
        '"{',
        "[]",
        [],
        [[], {}, [JANE]],
        [["email", JANE], "more"],
        [["email", JANE, 1]],
        [[JANE, "email"]],
        [{"name": "email", "value": None}],
        [{"name": 7, "value": JANE}, {}],
        {},
        {"email": None},
        {"email": 7},
        {"email": ""},
        {"email": [JANE, JANE]},
        {"": ""},
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps(json.dumps(json.dumps(json.dumps({"email": JANE})))),
    ],
)
def test_rubbish_is_no_lead(rubbish: object) -> None:
    assert read_lead(rubbish) is None


def test_what_is_nested_too_deep_is_not_looked_for() -> None:
    form: dict[str, object] = {"email": JANE}
    for _ in range(3_000):
        form = {"form": form}
    assert read_lead(form) is None


def test_a_form_without_end_is_not_read_to_its_end() -> None:
    honest = {f"question {number}": "answer" for number in range(200)}
    endless = {f"question {number}": "answer" for number in range(1_000)}
    assert read_lead(honest | {"email": JANE}) == Lead(JANE, None, None)
    assert read_lead(endless | {"email": JANE}) is None


# The e-mail


@pytest.mark.parametrize(
    "key",
    [
        "email",
        "Email",
        "EMAIL",
        "eMail",
        "e-mail",
        "E-Mail *",
        "Email Address",
        "emailAddress",
        "your-email",
        "form_fields[email]",
        "contact[email]",
        "properties.email",
        "billing_email",
        "user_email",
        "Work email",
        "preferred_email",
        "email-1",
        "et_pb_contact_email_0",
        "What is your e-mail?",
        "correo",
        "correo_electronico",
        "Correo electrónico",
        "courriel",
        "Adresse e-mail",
        "E-Mail-Adresse",
        "Indirizzo email",
    ],
)
def test_a_key_that_names_an_email(key: str) -> None:
    assert read_lead({"other": "else@example.com", key: JANE}) == Lead(JANE, None, None)


@pytest.mark.parametrize("key", ["input_3", "wpforms[fields][1]", "field_7", "", "メール"])
def test_an_email_is_known_by_its_looks(key: str) -> None:
    assert read_lead({"message": f"write to {JANE}", key: JANE}) == Lead(JANE, None, None)


@pytest.mark.parametrize("key", ["mailing_address", "mail_opt_in", "email_consent", "email_type"])
def test_a_key_with_mail_in_it_is_not_always_an_email(key: str) -> None:
    assert read_lead({key: "12 Elm St"}) is None
    assert read_lead({"email": JANE, key: "12 Elm St"}) == Lead(JANE, None, None)
    assert read_lead({key: "12 Elm St", "input_3": JANE}) == Lead(JANE, None, None)


@pytest.mark.parametrize(
    "key",
    [
        "friend_email",
        "friends[0][email]",
        "referralEmail",
        "referrer.email",
        "recipient-email",
        "emergency_contact_email",
        "password",
        "amigo",
        "invite_email",
        "invitee[email]",
        "invited_email",
        "share_with_email",
        "to_email",
        "cc_email",
        "colleague_email",
        "coworker.email",
        "spouse_email",
        "gift_recipient_email",
        "child_email",
        "next_of_kin_email",
        "email_ami",
        "courriel_amie",
        "e-mail-destinataire",
        "correo_amiga",
        "correo del destinatario",
        "email_freundin",
        "E-Mail des Empfängers",
        "email_amica",
        "email collega",
        "email do amigo",
        "admin_email",
        "unsubscribe_email",
        "forgot_password_email",
    ],
)
def test_an_email_of_someone_else_is_not_taken(key: str) -> None:
    assert read_lead({key: "bob@example.com"}) is None
    assert read_lead({key: "bob@example.com", "email": JANE}) == Lead(JANE, None, None)
    assert read_lead({"email": JANE, key: "bob@example.com"}) == Lead(JANE, None, None)


@pytest.mark.parametrize(
    "key",
    [
        "shipping_email",
        "shipping[email]",
        "ship_to_email",
        "delivery_email",
        "deliveryAddress.email",
        "Liefer-E-Mail",
        "e-mail de livraison",
        "correo de envío",
        "email_entrega",
        "email di spedizione",
        "partner_email",
        "guest_email",
        "second_email",
        "alternative_email",
        "manager_email",
        "reference_email",
    ],
)
def test_an_email_of_perhaps_someone_else_is_taken_only_alone(key: str) -> None:
    for own_key in ("billing_email", "email", "input_3"):
        assert read_lead({key: "bob@example.com", own_key: JANE}) == Lead(JANE, None, None)
        assert read_lead({own_key: JANE, key: "bob@example.com"}) == Lead(JANE, None, None)
    assert read_lead({key: JANE}) == Lead(JANE, None, None)


def test_the_name_is_that_of_the_email() -> None:
    shipping = {"shipping_email": "bob@example.com", "shipping_first_name": "Bob"}
    assert read_lead({**shipping, "billing_email": JANE}) == Lead(JANE, None, None)
    assert read_lead(shipping) == Lead("bob@example.com", "Bob", None)


@pytest.mark.parametrize(
    "key", ["contact_email", "family_email", "inviter_email", "nominator_email", "kindergarten"]
)
def test_words_that_only_look_like_somebody_else(key: str) -> None:
    assert read_lead({key: JANE}) == Lead(JANE, None, None)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("\u200bjane@example.com\u200e", JANE),
        ("jane@exam\u00adple.com", JANE),
        (JANE.translate(WIDE), JANE),
        ("jane@example.com.", JANE),
        ("jane@münchen.example", "jane@xn--mnchen-3ya.example"),
        ("jane@xn--mnchen-3ya.example", "jane@xn--mnchen-3ya.example"),
    ],
)
def test_an_email_is_stored_as_it_was_meant(typed: str, stored: str) -> None:
    assert read_lead({"email": typed}) == Lead(stored, None, None)
    assert own_addresses({"email": typed}) == {stored}


def test_an_email_is_trimmed_and_lowered() -> None:
    assert read_lead({"email": " Jane.Doe+News@Example.COM\n"}) == Lead(
        "jane.doe+news@example.com", None, None
    )


@pytest.mark.parametrize(
    "value",
    [
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "jane@@example.com",
        "jane@example..com",
        "jane doe@example.com",
        "Jane <jane@example.com> <bob@example.com>",
        "jane@example.com, bob@example.com",
        "jane@example.com\r\nBcc: bob@example.com",
        "https://example.com/@jane.doe",
        "https://user:secret@example.com",
        f"{'j' * 250}@example.com",
        f"{'j' * 300}@example.com",
        "j\ud83dne@example.com",
    ],
)
def test_what_does_not_look_like_an_email_is_none(value: str) -> None:
    assert read_lead({"email": value}) is None
    assert read_lead({"input_3": value}) is None


# The name


@pytest.mark.parametrize(
    ("first_key", "last_key"),
    [
        ("first_name", "last_name"),
        ("firstname", "lastname"),
        ("firstName", "lastName"),
        ("First Name", "Last Name"),
        ("First name (required)", "Last name (required)"),
        ("first-name", "surname"),
        ("FNAME", "LNAME"),
        ("FName", "LName"),
        ("f_name", "l_name"),
        ("given-name", "family-name"),
        ("forename", "surname"),
        ("first", "last"),
        ("your-first-name", "your-last-name"),
        ("user_first_name", "user_last_name"),
        ("billing_first_name", "billing_last_name"),
        ("name[first]", "name[last]"),
        ("q3_fullName3[first]", "q3_fullName3[last]"),
        ("wpforms[fields][0][first]", "wpforms[fields][0][last]"),
        ("names[first_name]", "names[last_name]"),
        ("properties.firstname", "properties.lastname"),
        ("0-1/firstname", "0-1/lastname"),
        ("Name_First", "Name_Last"),
        ("vorname", "nachname"),
        ("Vorname", "Familienname"),
        ("prenom", "nom_de_famille"),
        ("nombre_de_pila", "primer apellido"),
        ("primeiro nome", "sobrenome"),
        ("primer nombre", "apellidos"),
        # One of the two names is called just "name".
        ("first_name", "name"),
        ("name", "surname"),
        ("Vorname", "Name"),
        ("prénom", "nom"),
        ("Votre prénom", "Votre nom"),
        ("nombre", "apellido"),
        ("Nombre", "Apellidos"),
        ("nome", "cognome"),
        ("nome", "sobrenome"),
    ],
)
def test_a_first_and_a_last_name(first_key: str, last_key: str) -> None:
    assert name_in(**{first_key: "Jane", last_key: "Doe"}) == ("Jane", "Doe")
    assert name_in(**{last_key: "Doe", first_key: "Jane"}) == ("Jane", "Doe")


@pytest.mark.parametrize(
    "key",
    [
        "name",
        "Name *",
        "name-1",
        "your-name",
        "yourname",
        "contact[name]",
        "contact_form[name]",
        "user[name]",
        "form_fields[name]",
        "et_pb_contact_name_0",
        "full_name",
        "fullName",
        "fullname",
        "What is your full name?",
        "First and last name",
        "nombre",
        "nombre completo",
        "Nombre y apellidos",
        "nom",
        "nom complet",
        "Nom et prénom",
        "Nom / Prénom",
        "nome",
        "nome_completo",
        "Nome e cognome",
        "Ihr Name",
        "vollständiger Name",
        "Vor- und Nachname",
    ],
)
def test_a_full_name_is_split(key: str) -> None:
    assert name_in(**{key: "Jane van Dyke"}) == ("Jane", "van Dyke")
    assert name_in(**{key: "Jane"}) == ("Jane", None)


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Doe, Jane", "Jane", "Doe"),
        ("van Dyke, Jane", "Jane", "van Dyke"),
        ("  Jane   Doe ", "Jane", "Doe"),
        ("Jane,", "Jane", None),
        ("Jane Doe,", "Jane", "Doe"),
        (",", None, None),
        ("Jane Doe-Smith, PhD", "Jane", "Doe-Smith"),
        ("Robert Smith, Jr.", "Robert", "Smith"),
        ("Jane A. Doe, MD, MPH", "Jane", "A. Doe"),
        ("Dr. Jane Doe", "Jane", "Doe"),
        ("\u200bJane\u2060 Doe", "Jane", "Doe"),
    ],
)
def test_where_a_full_name_is_split(full: str, first: str | None, last: str | None) -> None:
    assert name_in(name=full) == (first, last)


@pytest.mark.parametrize("full", ["Jane Doe", "Doe Jane", "Doe, Jane", "Doe"])
def test_a_full_name_beside_a_part_gives_the_other_part(full: str) -> None:
    assert name_in(first_name="Jane", name=full) == ("Jane", "Doe")


def test_a_full_name_beside_both_parts_says_nothing_new() -> None:
    assert name_in(name="J. D.", first_name="Jane", last_name="Doe") == ("Jane", "Doe")


@pytest.mark.parametrize(
    "key",
    [
        "company_name",
        "company[name]",
        "companyName",
        "organisation name",
        "organization",
        "username",
        "user_name",
        "userName",
        "nom d'utilisateur",
        "nombre de usuario",
        "nome da empresa",
        "file_name",
        "filename",
        "product_name",
        "product[name]",
        "cardholder_name",
        "name_on_card",
        "cc-name",
        "form_name",
        "form-name",
        "middle_name",
        "nickname",
        "domain name",
        "pet_name",
        "friend_name",
        "friend_first_name",
        "shipping_first_name",
        "emergency_contact[last_name]",
        "visited_last",
        "message",
    ],
)
def test_the_name_of_a_thing_is_no_name_of_a_person(key: str) -> None:
    assert name_in(**{key: "Acme Ltd"}) == (None, None)
    assert name_in(**{key: "Acme Ltd", "name": "Jane Doe"}) == ("Jane", "Doe")


def test_an_email_in_the_name_field_is_not_a_name() -> None:
    assert read_lead({"name": JANE}) == Lead(JANE, None, None)


def test_the_first_value_that_is_not_empty_wins() -> None:
    assert name_in(first_name=" ", fname="Jane", vorname="Johanna") == ("Jane", None)


def test_names_are_cleaned_and_cut() -> None:
    assert name_in(first_name=" Ja\x00ne ", last_name="x" * 300) == ("Jane", "x" * 255)


def test_everything_else_is_dropped_at_the_edge() -> None:
    lead = read_lead(
        {"email": JANE, "phone": "555-0100", "password": "hunter2", "message": "Call me, please"}
    )
    assert lead == Lead(JANE, None, None)


# The URL


@pytest.mark.parametrize(
    ("query", "lead"),
    [
        ("email=jane@example.com&first_name=Jane", Lead(JANE, "Jane", None)),
        ("Email=jane%40example.com&name=Jane+Doe#done", Lead(JANE, "Jane", "Doe")),
        ("contact%5Bemail%5D=jane@example.com", Lead(JANE, None, None)),
        ("email=jane+news@example.com", Lead("jane+news@example.com", None, None)),
        ("x=100%&email=jane@example.com&%zz=%ff", Lead(JANE, None, None)),
    ],
)
def test_a_thank_you_page_passes_the_lead_on(query: str, lead: Lead) -> None:
    assert read_lead_from_url(f"https://client.example/thank-you?{query}") == lead


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://client.example/thank-you",
        "https://client.example/?first_name=Jane",
        "https://client.example/?ref=jane@example.com&name=Jane",
        "https://client.example/?friend_email=jane@example.com",
        "https://client.example/?email=100%&x=@",
        "https://client.example/@jane?email=",
        "https://client.example/#email=jane@example.com",
    ],
)
def test_without_an_email_under_its_name_a_url_has_no_lead(url: str) -> None:
    assert read_lead_from_url(url) is None


# Whatever comes

TEXT = st.text(st.characters(categories=None), max_size=30)
KEYS = TEXT | st.sampled_from(("email", "name", "first_name", "nom", "value", "friend_email"))
VALUES = (
    TEXT | st.emails() | st.sampled_from((JANE, "Jane Doe", "Doe, Jane", "100%", "@.@", "İ@İ.İ"))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


def check(lead: Lead | None) -> None:
    """What holds of every lead, whatever it was read from."""
    if lead is None:
        return
    person_values = [
        value for value in (lead.email, lead.first_name, lead.last_name) if value is not None
    ]
    assert person_values
    assert all(value.encode() and len(value) <= 255 for value in person_values)
    if lead.email is not None:
        assert len(lead.email) <= 254
        assert lead.email == lead.email.lower()
        local, domain = lead.email.split("@")
        assert local
        assert "." in domain
        assert not any(character.isspace() for character in lead.email)


@given(JSON)
def test_any_form_gives_a_lead_or_none(form: object) -> None:
    check(read_lead(form))
    check(read_lead({"fields": form}))
    check(read_lead(json.dumps(form)))


@given(TEXT)
def test_any_text_gives_a_lead_or_none(text: str) -> None:
    check(read_lead(text))
    check(read_lead_from_url(text))
    check(read_lead_from_url(f"?email={text}@example.com&name={text}"))
