import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.page_addresses import (
    address_of_image,
    parameters_torn_off,
    site_of,
    thanks_for_form,
    without_personal_values,
)

SITE = "https://shop.example"


@pytest.mark.parametrize(
    ("named", "on_site", "alone"),
    [
        ("/prices?a=1", f"{SITE}/prices?a=1", "/prices?a=1"),
        ("?a=1", f"{SITE}/dir/?a=1", "?a=1"),
        ("about.html", f"{SITE}/dir/about.html", "about.html"),
        ("//other.example/a", "https://other.example/a", "https://other.example/a"),
        ("other.example", "https://other.example", "https://other.example"),
        ("other.example:8080/a", "https://other.example:8080/a", "https://other.example:8080/a"),
        ("http://other.example/", "http://other.example/", "http://other.example/"),
        ("about:blank", "about:blank", "about:blank"),
        ("//[", "https://[", "https://["),
        ("/[", f"{SITE}/[", "/["),
        (" ", " ", " "),
        ("", "", ""),
        ("undefined", f"{SITE}/dir/", "undefined"),
        ("null", f"{SITE}/dir/", "null"),
        ("nullable", f"{SITE}/dir/nullable", "nullable"),
    ],
)
def test_the_page_of_an_image_is_made_whole(named: str, on_site: str, alone: str) -> None:
    assert address_of_image(named, f"{SITE}/dir/") == on_site
    assert address_of_image(named, None) == alone


PAGE = "https://shop.example/?utm_source=x"


@pytest.mark.parametrize(
    ("query", "torn_off"),
    [
        (f"page_url={PAGE}&utm_medium=y&gclid=G", "&utm_medium=y&gclid=G"),
        (f"pixel_id=p&page_url={PAGE}&UTM_Medium=a%26b&hsa_ad=1", "&UTM_Medium=a%26b&hsa_ad=1"),
        (f"page_url={PAGE}&amp;utm_medium=y", "&utm_medium=y"),
        ("page_url=https%3A%2F%2Fshop.example%2F?p=1&utm_source=x", "&utm_source=x"),
        # What may be the image's own.
        (f"page_url={PAGE}&cb=17&utm_medium=y&event_key=1", "&utm_medium=y"),
        (f"page_url={PAGE}&pixel_id=p&utm_medium=y", ""),
        (f"page_url={PAGE}&referrer_url=https://www.google.com/?q=a&utm_medium=y", ""),
        # An address that was encoded, or has no query, is whole.
        ("page_url=https%3A%2F%2Fshop.example%2F%3Futm_source%3Dx&utm_medium=y", ""),
        ("page_url=https://shop.example/&utm_medium=y", ""),
        (f"utm_medium=y&page_url={PAGE}", ""),
        (f"my_page_url={PAGE}&utm_medium=y", ""),
        ("", ""),
    ],
)
def test_a_plain_address_keeps_the_campaign_behind_its_first_ampersand(
    query: str, torn_off: str
) -> None:
    assert parameters_torn_off(query) == torn_off


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("/?email=jane@example.com", "/"),
        ("/?email=jane%40example.com&page=2", "/?page=2"),
        ("/?page=2&Email=x", "/?page=2"),
        ("/?E-Mail=x&your_email=x&user%5Bemail%5D=x&emailAddress=x&correo=x", "/"),
        ("?email=jane@example.com", ""),
        ("?page=/a/b&email=x", "?page=/a/b"),
        # Whatever the parameter is called.
        ("/?ref=jane@example.com&u=jane%2540example.com&x=1", "/?x=1"),
        ("/?next=https%3A%2F%2Fx.example%2F%3Fm%3Djane%2540example.com", "/"),
        ("/?to=Jane+Doe+%3Cjane%40example.com%3E", "/"),
        ("/?phone=555-0100&tel=1&mobile_number=1&telefono=1&telefon=1&whatsapp=1", "/"),
        ("/?name=Jane&first_name=Jane&lastName=Doe&fname=J&vorname=J&nom=Doe&apellidos=D", "/"),
        ("/?token=t&access_token=t&resetToken=t&mkt_tok=t&password=p&pwd=p&otp=1", "/"),
        ("/?api_key=k&session_id=s&PHPSESSID=s&jsessionid=s&sid=s&signature=s", "/"),
        ("/?dob=2000-01-01&birthday=x&street=x", "/"),
        # Behind a sign that was damaged or encoded.
        ("/?utm_campaign=b?email=jane@x.example&a=1", "/?utm_campaign=b&a=1"),
        ("/?email%3Djane%40x.example", "/"),
        ("/?a=1&email%3djane", "/?a=1"),
        ("/?utm_source%3Dn%26email%3Djane%2540x.example", "/?utm_source%3Dn"),
        ("/?utm_source=n;email=jane;a=1", "/?utm_source=n;a=1"),
        ("/?redirect=/x?token=abc", "/?redirect=/x"),
        ("/?redirect=%2Fx%3Ftoken%3Dabc%26a%3D1", "/?redirect=%2Fx%26a%3D1"),
        ("/?jane@x.example", "/"),
        ("/?jane%2540x.example&a", "/?a"),
        ("/?utm_email=jane&utm_phone=1&utm_source=n", "/?utm_source=n"),
        # In its fragment.
        ("/#email=jane@example.com", "/"),
        ("/?a=1#access_token=t&state=s", "/?a=1#state=s"),
        ("/#/thanks?email=jane@example.com&a=1", "/#/thanks?a=1"),
        ("/#!/thanks?email=x", "/#!/thanks"),
        ("/#jane@example.com", "/#email"),
        # In its path.
        ("/unsubscribe/jane@example.com/now", "/unsubscribe/email/now"),
        ("/unsubscribe/jane%40example.com?a=1", "/unsubscribe/email?a=1"),
        ("/u/jane%2540x.example", "/u/email"),
    ],
)
def test_what_is_personal_in_an_address_is_not_kept(url: str, stored: str) -> None:
    assert without_personal_values(SITE + url) == SITE + stored


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "?",
        "/?",
        "/#",
        "/#top",
        "/a?b",
        "/a?b=1&&c=2",
        "/?utm_source=google&utm_medium=email&utm_campaign=may&utm_term=jane@example.com",
        "/?utm_id=1&gclid=G1&fbclid=F&msclkid=M&ttclid=T&twclid=X&li_fat_id=L&sc_click_id=S",
        "/?gbraid=1&wbraid=2&dclid=3&mc_cid=4&_hsenc=5",
        "/?campaign_region=eu&ad_group=a&ad_id=1&search_query=running+shoes&region=x",
        "/?campaign_name=x&product_name=shoe&filename=a.pdf&site_source_name=fb",
        "/?email_type=news&mailing_id=7&page=2&q=shoes&size=10&color=red",
        "/?utm_campaign=why?&a=b;c&d=%3F%26",
        "/@jane.doe/status/1",
        "/pkg/react@18.2.0/index",
        "/img/icon@2x.png",
        "/maps/@48.13,11.57,15z",
        "/#/route?tab=2",
        "/?author=jane&passage=3&category=tokyo&telescope=1",
    ],
)
def test_everything_else_is_kept_as_it_is(url: str) -> None:
    assert without_personal_values(SITE + url) == SITE + url


def test_the_host_is_no_e_mail_address() -> None:
    address = "https://jane@shop.example/?a=1"
    assert without_personal_values(address) == address


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("/thank-you", None),
        ("/thank-you/", None),
        ("/thankyou.html", None),
        ("/ThankYou.aspx", None),
        ("/thanks", None),
        ("/contact/thank_you_page", None),
        ("/danke", None),
        ("/vielen-dank", None),
        ("/merci", None),
        ("/gracias", None),
        ("/obrigado", None),
        ("/grazie", None),
        ("/success", None),
        ("/contact-success", None),
        ("/confirmation", None),
        ("/confirmaci%C3%B3n", None),
        ("/best%C3%A4tigung", None),
        ("/form-submitted", None),
        ("/checkout/order-received/17", None),
        ("/message-sent", None),
        ("/ty", None),
        ("/#/thank-you", None),
        ("/contact?submitted=true", None),
        ("/?thank-you=1", None),
        ("/?thank-you", None),
        ("/?form_sent=yes", None),
        ("/?page=thank-you", None),
        ("/?status=success", None),
        ("/contact", "Thank you! - Shop"),
        ("/kontakt", "Vielen Dank"),
        ("/thank-you-demo", None),
        ("/webinar/thank-you-for-registering", None),
        ("/products/thanks", None),
        ("/blog/thank-you", None),
        ("/contact", "Thank you! | The Gift Shop"),
        ("/kontakt", "Danke - Geschenke24"),
    ],
)
def test_a_page_that_thanks_for_a_form(url: str, title: str | None) -> None:
    assert thanks_for_form(f"{SITE}{url}", title)
    joined = f"{url}&email=x" if "?" in url else url
    assert thanks_for_form(f"{SITE}{joined}", title)


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("", None),
        ("/", "Shop"),
        ("/pricing", "Prices"),
        ("/thanksgiving-sale", "Thanksgiving sale"),
        ("/thank-you-gift", None),
        ("/thank-you-cards", "Cards"),
        ("/danke-sale", None),
        ("/merci-pour-5-ans", None),
        ("/gracias-mama", None),
        ("/blog/merci-maman", None),
        ("/blog/thank-you-for-the-music", None),
        ("/", "Thank you for 10 years with us"),
        ("/", "Danke für 25 Jahre Treue"),
        ("/customer-success", "Customer success"),
        ("/success-stories", "Success stories"),
        ("/party", None),
        ("/confirm", None),
        ("/complete-your-profile", None),
        ("/?utm_campaign=thank-you", None),
        ("/?submitted=false", None),
        ("/?sent=20260501", None),
        ("/?thanks=0", None),
        ("/?success=0", None),
        ("/unsubscribe/success", None),
        ("/reset-password/done", None),
    ],
)
def test_a_page_that_thanks_for_nothing(url: str, title: str | None) -> None:
    assert not thanks_for_form(f"{SITE}{url}", title)


def test_the_site_of_an_address() -> None:
    assert site_of("https://Shop.example:8443/a?b#c") == "https://shop.example:8443"
    assert site_of("https://shop.example?x") == "https://shop.example"
    assert site_of("nowhere") == ""


@given(st.text(st.sampled_from("?&=#/@.%40ae:!+ ") | st.characters(), max_size=40))
def test_any_address_is_cleaned_once(text: str) -> None:
    cleaned = without_personal_values(f"{SITE}/{text}")
    assert cleaned.startswith(SITE)
    assert without_personal_values(cleaned) == cleaned
    thanks_for_form(text, text)
