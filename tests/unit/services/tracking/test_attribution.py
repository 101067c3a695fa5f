import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.attribution import (
    Attribution,
    Touch,
    TouchOrigin,
    browser_ids,
    click_ids,
    credit,
    read_touch,
    resolve_touch,
    stored_touch,
    unstored_parameters,
    without_touch,
)

SITE = "https://client.example/"
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
NETWORK_OF_CLICK_ID = {
    "gclid": "google",
    "fbclid": "facebook",
    "msclkid": "microsoft",
    "ttclid": "tiktok",
    "twclid": "twitter",
    "li_fat_id": "linkedin",
    "sc_click_id": "snapchat",
}
AD = ("campaign_region", "ad_group", "ad_id", "search_query")
FIELDS = (*UTM, *NETWORK_OF_CLICK_ID, *AD)


def seen_in(url: str) -> dict[str, object] | None:
    """What a page URL says, without the origin that all these tests share."""
    touch = read_touch(url, "page_url")
    if touch is None:
        return None
    values = touch.stored_fields()
    assert values.pop("origin") == "page_url"
    return values


def seen_in_body(**body: object) -> dict[str, object] | None:
    touch = resolve_touch(SITE, body, None)
    if touch is None:
        return None
    values = touch.stored_fields()
    assert values.pop("origin") == "body"
    return values


# The URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        SITE,
        f"{SITE}?page=2#top",
        f"{SITE}?",
        f"{SITE}#",
        f"{SITE}?utm_source",
        f"{SITE}?utm_source=&gclid=+%20",
        f"{SITE}utm_source=google",
        f"{SITE}?utm_sources=google",
        f"{SITE}?ad_group=shoes&ad_id=7&region=west&search_query=red+shoes",
    ],
)
def test_no_utm_and_no_click_id_is_no_touch(url: str) -> None:
    assert seen_in(url) is None


@pytest.mark.parametrize("name", [*UTM, *NETWORK_OF_CLICK_ID])
def test_one_parameter_alone_makes_a_touch(name: str) -> None:
    assert seen_in(f"{SITE}?page=2&{name}=one&sort=up") == {name: "one"}


def test_ad_parameters_travel_with_a_touch() -> None:
    assert seen_in(f"{SITE}?gclid=G1&ad_group=shoes&ad_id=7&campaign_region=west") == {
        "gclid": "G1",
        "ad_group": "shoes",
        "ad_id": "7",
        "campaign_region": "west",
    }


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("ScCid=S1", {"sc_click_id": "S1"}),
        ("sc_click_id=S1", {"sc_click_id": "S1"}),
        ("gclid=G1&region=west", {"gclid": "G1", "campaign_region": "west"}),
        ("UTM_Source=Google&GCLID=G1", {"utm_source": "Google", "gclid": "G1"}),
        ("utm%5Fsource=google", {"utm_source": "google"}),
    ],
)
def test_a_parameter_is_known_by_its_other_spellings(query: str, values: dict[str, str]) -> None:
    assert seen_in(f"{SITE}?{query}") == values


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("spring+sale", "spring sale"),
        ("spring%20sale", "spring sale"),
        ("1%2B1", "1+1"),
        ("a=b", "a=b"),
        ("caf%C3%A9", "café"),
        ("café", "café"),
        ("why?", "why?"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("50%+off", "50% off"),
        ("%ff", "ÿ"),
        ("%E9t%E9", "été"),
        ("a%E2%80%8Bb", "ab"),
        ("%C2%A0two++spaces%C2%A0", "two spaces"),
        ("a%00b%0A", "ab"),
    ],
)
def test_a_value_is_decoded(raw: str, value: str) -> None:
    assert seen_in(f"{SITE}?utm_campaign={raw}") == {"utm_campaign": value}


@pytest.mark.parametrize("broken", ["%", "100%", "%zz", "%ff", "%e", "&&", "=", "\ud83d", "\x00"])
def test_a_lone_percent_loses_nothing(broken: str) -> None:
    url = f"{SITE}?x={broken}&utm_source=google&{broken}=x&gclid=G1&{broken}"
    assert seen_in(url) == {"utm_source": "google", "gclid": "G1"}


def test_the_first_value_that_is_not_empty_wins() -> None:
    url = f"{SITE}?utm_source=&utm_source=%20&utm_source=google&UTM_SOURCE=bing"
    assert seen_in(url) == {"utm_source": "google"}


def test_a_long_value_is_cut() -> None:
    assert seen_in(f"{SITE}?gclid={'x' * 600}") == {"gclid": "x" * 500}


@pytest.mark.parametrize(
    "fragment",
    [
        "utm_source=google",
        "?utm_source=google",
        "/route?utm_source=google",
        "!/route;id=1?utm_source=google",
        "route?page=2&utm_source=google",
        "page=2&utm_source=google&q=why?",
    ],
)
def test_a_touch_may_be_in_the_fragment(fragment: str) -> None:
    values = {"utm_source": "google"}
    assert seen_in(f"{SITE}#{fragment}") == values
    assert seen_in(f"{SITE}?page=2#{fragment}") == values


def test_the_fragment_adds_what_the_query_lacks() -> None:
    assert seen_in(f"{SITE}?gclid=G1&utm_source=a#utm_source=b&utm_medium=cpc") == {
        "gclid": "G1",
        "utm_source": "a",
        "utm_medium": "cpc",
    }


# One source


def test_the_page_url_comes_before_the_body_and_the_referrer() -> None:
    touch = resolve_touch(f"{SITE}?utm_medium=email", {"gclid": "G1"}, f"{SITE}?fbclid=F1")
    assert touch == Touch(origin="page_url", utm_medium="email")


def test_a_null_in_the_body_hides_nothing_of_the_page_url() -> None:
    body = dict.fromkeys(FIELDS)
    touch = resolve_touch(f"{SITE}?utm_source=google", body, None)
    assert touch == Touch(origin="page_url", utm_source="google")


def test_the_body_comes_before_the_referrer() -> None:
    touch = resolve_touch(f"{SITE}?page=2", {"gclid": "G1"}, f"{SITE}?utm_source=bing")
    assert touch == Touch(origin="body", gclid="G1")


def test_the_referrers_parameters_come_last() -> None:
    touch = resolve_touch(SITE, {"utm_source": None}, f"{SITE}?utm_source=bing&page=2")
    assert touch == Touch(origin="referrer", utm_source="bing")


@pytest.mark.parametrize("referrer", [None, "", "https://www.google.com/"])
def test_a_visit_may_have_no_touch(referrer: str | None) -> None:
    assert resolve_touch(SITE, {}, referrer) is None


# The body


@pytest.mark.parametrize(
    "empty",
    [None, "", "  ", "null", "undefined", "NULL", True, 1.5, [], {}, ["google"], 10**100],
)
def test_a_body_value_may_be_nothing(empty: object) -> None:
    assert seen_in_body(utm_source=empty) is None
    assert seen_in_body(utm_source=empty, gclid="G1") == {"gclid": "G1"}


def test_a_number_in_the_body_is_its_text() -> None:
    assert seen_in_body(utm_campaign=2026, ad_id=23851234567890123) == {
        "utm_campaign": "2026",
        "ad_id": "23851234567890123",
    }


def test_body_values_are_cleaned_and_cut() -> None:
    assert seen_in_body(utm_source=" news\x00letter ", utm_term="x" * 600) == {
        "utm_source": "newsletter",
        "utm_term": "x" * 500,
    }


@pytest.mark.parametrize("medium", ["unknown", "none"])
@pytest.mark.parametrize("campaign", ["unknown", "none"])
def test_the_old_pixels_fallback_words_are_no_touch(medium: str, campaign: str) -> None:
    fallback = {"utm_source": "direct", "utm_medium": medium, "utm_campaign": campaign}
    assert seen_in_body(**fallback) is None
    assert seen_in_body(**fallback, gclid="G1") == {"gclid": "G1"}


def test_a_fallback_word_counts_in_its_own_field_only() -> None:
    values = {"utm_source": "unknown", "utm_medium": "direct", "utm_term": "none"}
    assert seen_in_body(**values) == values


def test_an_impossible_touch_loses_the_other_visits_click_id() -> None:
    values = seen_in_body(utm_source="facebook", utm_medium="paid_social", gclid="G1", fbclid="F1")
    assert values == {"utm_source": "facebook", "utm_medium": "paid_social", "fbclid": "F1"}


@pytest.mark.parametrize(
    ("source", "click_id"),
    [
        ("google", "gclid"),
        ("GoogleAds", "gclid"),
        ("adwords", "gclid"),
        ("youtube.com", "gclid"),
        ("Facebook", "fbclid"),
        ("facebook.com", "fbclid"),
        ("m.facebook.com", "fbclid"),
        ("facebook_ads", "fbclid"),
        ("fb", "fbclid"),
        ("ig", "fbclid"),
        ("l.instagram.com", "fbclid"),
        ("Meta Ads", "fbclid"),
        ("bing", "msclkid"),
        ("microsoft-ads", "msclkid"),
        ("TikTok", "ttclid"),
        ("twitter", "twclid"),
        ("t.co", "twclid"),
        ("X", "twclid"),
        ("x.com", "twclid"),
        ("x_ads", "twclid"),
        ("LinkedIn", "li_fat_id"),
        ("snapchat", "sc_click_id"),
    ],
)
def test_a_network_is_known_by_its_names(source: str, click_id: str) -> None:
    click_ids = dict.fromkeys(NETWORK_OF_CLICK_ID, "ID")
    assert seen_in_body(utm_source=source, **click_ids) == {"utm_source": source, click_id: "ID"}


@pytest.mark.parametrize(
    "source", ["newsletter", "bingo", "x-mas", "igloo", "metasearch", "t.com", "mail.google.com"]
)
def test_a_source_that_is_no_network_keeps_every_click_id(source: str) -> None:
    click_ids = dict.fromkeys(NETWORK_OF_CLICK_ID, "ID")
    assert seen_in_body(utm_source=source, **click_ids) == {"utm_source": source} | click_ids


def test_without_a_source_one_visit_has_one_network() -> None:
    assert seen_in_body(ttclid="T1", fbclid="F1", utm_term="shoes") == {
        "fbclid": "F1",
        "utm_term": "shoes",
    }


def test_the_parameters_of_a_url_belong_to_one_visit() -> None:
    values = {"utm_source": "facebook", "gclid": "G1"}
    assert seen_in(f"{SITE}?utm_source=facebook&gclid=G1") == values


@pytest.mark.parametrize("name", AD)
def test_an_ad_parameter_alone_is_a_touch_of_a_body(name: str) -> None:
    assert seen_in_body(**{name: "west", "utm_source": None}) == {name: "west"}
    assert seen_in(f"{SITE}?{name}=west") is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("adgroup", "ad_group"),
        ("hsa_grp", "ad_group"),
        ("hsa_ad", "ad_id"),
        ("keyword", "utm_term"),
        ("hsa_kw", "utm_term"),
    ],
)
def test_a_parameter_of_an_ad_platform_is_read_as_what_it_is(name: str, field: str) -> None:
    assert seen_in_body(**{name: "shoes"}) == {field: "shoes"}
    assert seen_in(f"{SITE}?{name}=shoes") is None
    assert seen_in(f"{SITE}?{name}=shoes&gclid=G1") == {field: "shoes", "gclid": "G1"}
    values = {"gclid": "G1", field: "own"}
    if field == "utm_term":
        assert seen_in(f"{SITE}?gclid=G1&{name}=shoes&utm_term=own") == values
    else:
        assert seen_in(f"{SITE}?gclid=G1&{field}=own&{name}=shoes") == values


def test_the_region_of_a_body_is_the_visitors() -> None:
    assert seen_in_body(region="BY") is None


# The credit


@pytest.mark.parametrize(
    ("values", "source", "medium", "campaign"),
    [
        ({}, "direct", "unknown", "none"),
        ({"utm_source": "news"}, "news", "unknown", "none"),
        (
            {"utm_source": "news", "utm_medium": "email", "utm_campaign": "may"},
            "news",
            "email",
            "may",
        ),
        ({"gclid": "1"}, "google", "cpc", "none"),
        ({"fbclid": "1"}, "facebook", "social", "none"),
        ({"msclkid": "1"}, "microsoft", "cpc", "none"),
        ({"ttclid": "1"}, "tiktok", "social", "none"),
        ({"twclid": "1"}, "twitter", "social", "none"),
        ({"li_fat_id": "1"}, "linkedin", "social", "none"),
        ({"sc_click_id": "1"}, "snapchat", "social", "none"),
        ({"utm_source": "yt", "gclid": "1"}, "yt", "cpc", "none"),
        ({"gclid": "1", "utm_medium": "video"}, "google", "video", "none"),
        ({"gclid": "1", "ad_group": "shoes"}, "google", "cpc", "none"),
        ({"ad_group": "7", "origin": "body"}, "none", "unknown", "none"),
        ({"click_ids": {"hsa_cam": "888"}, "ad_group": "7"}, "direct", "unknown", "888"),
        ({"utm_campaign": "qr", "origin": "page_url"}, "none", "unknown", "qr"),
        ({"utm_campaign": "qr", "touch_origin": "session"}, "none", "unknown", "qr"),
        ({"gclid": "1", "ad_group": "shoes", "utm_campaign": "may"}, "google", "cpc", "may"),
        ({"utm_source": None, "gclid": None, "ad_group": ""}, "direct", "unknown", "none"),
        ({"utm_source": 1, "origin": "body"}, "none", "unknown", "none"),
        ({"utm_source": "Direct", "utm_medium": "none", "gclid": "1"}, "google", "cpc", "none"),
        ({"utm_source": "{source}", "utm_campaign": "(not set)"}, "direct", "unknown", "none"),
        ({"fbclid": "1", "click_ids": {"gbraid": "2"}}, "google", "cpc", "none"),
    ],
)
def test_the_credit(values: Mapping[str, object], source: str, medium: str, campaign: str) -> None:
    assert credit(values) == Attribution(source, medium, campaign)


# What is stored


@pytest.mark.parametrize(
    ("row", "touch"),
    [
        ({}, {}),
        (dict.fromkeys(FIELDS), {}),
        ({"utm_source": "news", "utm_medium": None}, {"utm_source": "news"}),
        ({"utm_source": "direct", "utm_medium": "unknown", "utm_campaign": "none"}, {}),
        ({"utm_source": "Direct", "utm_medium": "NONE", "utm_term": "undefined"}, {}),
        ({"gclid": "null", "fbclid": "F1"}, {"fbclid": "F1"}),
        ({"utm_source": "none", "utm_medium": "direct"}, None),
        ({"gclid": "G1", "page_url": "x", "origin": "body", "id": 5}, {"gclid": "G1"}),
        ({"gclid": 5, "utm_term": ""}, {"gclid": "5"}),
        (
            {"ad_group": "shoes", "utm_source": "direct", "touch_origin": "body"},
            {"ad_group": "shoes"},
        ),
        ({"gclid": "G1", "fbclid": "F1", "utm_source": "facebook"}, None),
    ],
)
def test_a_stored_touch_has_no_placeholders(
    row: dict[str, object], touch: dict[str, str] | None
) -> None:
    assert stored_touch(row) == (row if touch is None else touch)


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("", ""),
        ("?", ""),
        ("?utm_source=x", ""),
        ("?a=1&utm_source=x&b=2&gclid=y", "?a=1&b=2"),
        ("?b=2&a=1", "?b=2&a=1"),
        ("?a=1&a=1", "?a=1&a=1"),
        ("?UTM_Source=x&a=1", "?a=1"),
        ("?utm%5Fsource=x&a=1", "?a=1"),
        ("?ScCid=x&region=west&search_query=y", ""),
        ("?a&utm_source", "?a"),
        ("?a=b=c&d=?", "?a=b=c&d=?"),
        ("?a=%zz&%ff=1", "?a=%zz&%ff=1"),
        ("?a=1&&b=2&", "?a=1&b=2"),
        ("?utm_sources=x", ""),
        ("?keyword=a&region=b&network=c&placement=d", "?keyword=a&region=b&network=c&placement=d"),
        ("?keyword=a&matchtype=e&gclid=G1", ""),
        ("?p=1&__hstc=1&_ga=2", "?p=1"),
        ("?p=1%26gclid%3DG1", "?p=1"),
        ("?gclid%3DG1", ""),
        ("?a=1#utm", "?a=1#utm"),
        ("?utm_source=x#/route?b=1", "#/route?b=1"),
        ("#", "#"),
    ],
)
def test_a_url_without_its_touch_keeps_everything_else(query: str, rest: str) -> None:
    assert without_touch(f"{SITE}{query}") == f"{SITE}{rest}"


# Whatever comes

NAMES = st.sampled_from((*FIELDS, "ScCid", "region", "page", "UTM_SOURCE"))
VALUES = st.one_of(
    st.text(st.characters(categories=None), max_size=8),
    st.sampled_from(
        ("google", "Facebook Ads", "direct", "none", "100%", "%ff", "+", "\ud83d", "null")
    ),
    st.text("x", min_size=490, max_size=520),
)
QUERIES = st.lists(st.builds("{}={}".format, NAMES, VALUES), max_size=8).map("&".join)
URLS = st.one_of(
    st.text(),
    st.builds("{}{}{}".format, st.just(SITE), st.sampled_from(("", "?", "#", "#/a?")), QUERIES),
)
BODIES = st.dictionaries(
    st.sampled_from(FIELDS), VALUES | st.none() | st.integers() | st.floats() | st.lists(st.text())
)


def values_of(touch: Touch | None) -> dict[str, object]:
    return {} if touch is None else touch.stored_fields()


@given(URLS, BODIES, URLS | st.none())
def test_every_field_comes_from_one_source(
    page_url: str, body: dict[str, object], referrer: str | None
) -> None:
    touch = resolve_touch(page_url, body, referrer)
    alone = [
        resolve_touch(page_url, {}, None),
        resolve_touch("", body, None),
        resolve_touch("", {}, referrer),
    ]
    assert touch == next((candidate for candidate in alone if candidate), None)


@given(st.text(st.characters(categories=None)), st.sampled_from(("page_url", "referrer")))
def test_reading_a_url_never_raises(url: str, origin: TouchOrigin) -> None:
    read_touch(url, origin)
    read_touch(f"?utm_source={url}#{url}", origin)


@given(URLS, BODIES)
def test_what_is_seen_can_be_stored(page_url: str, body: dict[str, object]) -> None:
    values = values_of(resolve_touch(page_url, body, None))
    stored = json.dumps(values, ensure_ascii=False).encode()
    assert json.loads(stored) == values
    assert all(0 < len(str(value)) <= 500 for value in values.values())
    assert credit(json.loads(stored)) == credit(values)


@given(st.sampled_from(tuple(NETWORK_OF_CLICK_ID.values())), BODIES)
def test_a_body_never_mixes_two_networks(network: str, body: dict[str, object]) -> None:
    values = values_of(resolve_touch("", body | {"utm_source": network}, None))
    assert {NETWORK_OF_CLICK_ID[name] for name in values if name in NETWORK_OF_CLICK_ID} <= {
        network
    }


@given(st.text(st.characters(categories=None)), URLS)
def test_a_url_can_always_be_freed_of_its_touch(text: str, url: str) -> None:
    for candidate in (text, f"?utm_source={text}&{text}#{text}", url):
        rest = without_touch(candidate)
        assert without_touch(rest) == rest
        assert read_touch(rest.partition("#")[0], "page_url") is None


PLAIN_PAIRS = st.builds("{}={}".format, st.sampled_from(("page", "q", "utm", "a%20b")), st.text())
TOUCH_PAIRS = st.builds("{}={}".format, st.sampled_from((*FIELDS, "ScCid", "region")), st.text())


@given(st.lists(st.tuples(st.booleans(), PLAIN_PAIRS, TOUCH_PAIRS)))
def test_other_parameters_keep_their_order(pairs: list[tuple[bool, str, str]]) -> None:
    def plain(pair: str) -> str:
        return pair.translate(dict.fromkeys(map(ord, "&#?;%\\")))

    mixed = ["gclid=", *(plain(ours if is_ours else other) for is_ours, other, ours in pairs)]
    others = [plain(other) for is_ours, other, _ in pairs if not is_ours]
    expected = f"?{'&'.join(others)}" if others else ""
    assert without_touch(f"{SITE}?{'&'.join(mixed)}") == f"{SITE}{expected}"


@given(BODIES)
def test_a_stored_touch_can_be_stored_again(row: dict[str, object]) -> None:
    touch = stored_touch(row)
    assert set(touch) <= set(FIELDS)
    assert stored_touch(touch) == touch
    assert json.loads(json.dumps(touch, ensure_ascii=False).encode()) == touch


def test_ad_parameters_of_the_old_worker_alone_are_no_stored_touch() -> None:
    assert stored_touch({"campaign_region": "west", "search_query": "shoes"}) == {}


@pytest.mark.parametrize("route", ["/route?utm_source=google&gclid=G1", "/route?a=1&gclid=G1"])
def test_a_touch_in_the_route_of_a_single_page_app_goes_too(route: str) -> None:
    url = without_touch(f"https://shop.example/#{route}")
    assert read_touch(url, "page_url") is None
    assert "/route" in url


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("", []),
        ("?utm_source=a&ScCid=b&region=c&GCLID=d", []),
        ("?utm_ad=1&gclid=G&zzclid=2&utm_ad=3", ["utm_ad", "zzclid"]),
        ("?_gl=1*x&_GL=2", []),
        ("?%75tm_ad=1&&=x&flag", ["utm_ad", "flag"]),
        ("#?utm_ad=1", []),
    ],
)
def test_parameters_that_no_field_holds_are_left_out(address: str, names: list[str]) -> None:
    assert unstored_parameters(SITE + address) == names


# Click IDs without a column of their own


@pytest.mark.parametrize(
    ("query", "source", "medium"),
    [
        ("gbraid=0A", "google", "cpc"),
        ("wbraid=0A", "google", "cpc"),
        ("gad_source=1", "google", "cpc"),
        ("gad_campaignid=5", "google", "cpc"),
        ("dclid=D", "google", "display"),
        ("rdt_cid=R", "reddit", "social"),
        ("epik=E", "pinterest", "social"),
        ("qclid=Q", "quora", "social"),
        ("yclid=Y", "yandex", "cpc"),
        ("irclid=I", "impact", "affiliate"),
        ("oppref=O", "chatgpt", "cpc"),
        ("GBRAID=0A&fbclid=F", "google", "cpc"),
        ("wbraid=0A&fbclid=F", "google", "cpc"),
        ("irclickid=I", "impact", "affiliate"),
        ("utm_source=news&gbraid=0A", "news", "cpc"),
        ("utm_medium=video&wbraid=0A", "google", "video"),
    ],
)
def test_a_click_id_of_today_is_credited_to_its_network(
    query: str, source: str, medium: str
) -> None:
    touch = read_touch(f"{SITE}?{query}", "page_url")
    assert touch
    credited = credit(touch.stored_fields())
    assert (credited.source, credited.medium) == (source, medium)
    assert credit(stored_touch({**touch.stored_fields(), "touch_origin": "page_url"})) == credited


def test_what_has_no_column_is_kept_together() -> None:
    query = "utm_source=google&utm_id=7&gad_source=1&gclsrc=aw.ds&hsa_cam=9&matchtype=e&_gl=1*x"
    assert seen_in(f"{SITE}?{query}") == {
        "utm_source": "google",
        "click_ids": {
            "utm_id": "7", "gad_source": "1", "gclsrc": "aw.ds", "hsa_cam": "9", "matchtype": "e",
        },
    }  # fmt: skip


@pytest.mark.parametrize("query", ["utm_id=7", "network=g&placement=x", "hsa_cam=9", "_gl=1*x"])
def test_details_alone_make_no_touch(query: str) -> None:
    assert seen_in(f"{SITE}?{query}") is None
    assert seen_in_body(**dict([query.split("&", maxsplit=1)[0].split("=", 1)])) is None


def test_a_body_has_the_same_names() -> None:
    assert seen_in_body(gbraid="0A", network="g") == {"click_ids": {"gbraid": "0A", "network": "g"}}
    assert seen_in_body(utm_source="google", rdt_cid="R", wbraid="W") == {
        "utm_source": "google",
        "click_ids": {"wbraid": "W"},
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"fbc": "fb.1.17.AbC", "fbp": "fb.1.17.123"},
            {"fbc": "fb.1.17.AbC", "fbp": "fb.1.17.123"},
        ),
        ({"fbc": "null", "fbp": 5}, {}),
        ({"fbc": "x"}, {}),
        ({}, {}),
    ],
)
def test_cookies_of_meta_are_of_the_browser(
    body: dict[str, object], expected: dict[str, str]
) -> None:
    assert browser_ids(body) == expected
    assert resolve_touch(SITE, body, None) is None


@pytest.mark.parametrize("stored", [None, "", "x", "[1]", '{"gbraid": 5, "x": "y"}', 7, []])
def test_a_column_with_something_else_holds_no_click_id(stored: object) -> None:
    assert click_ids({"click_ids": stored}) == {}
