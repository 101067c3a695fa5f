"""Every visit has the channel that the table says, on the SQL itself."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.channels import CHANNELS, UNASSIGNED
from services.reports import traffic_sources
from services.reports.channel_rules import CHANNEL_RULES, CLASSIFIER_VERSION
from services.reports.channel_sql import AD, CAMPAIGN_KIND, count_by_channel

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = """
CREATE TABLE projects (id, configuration);
CREATE TABLE pixels (id, project_id, configuration);
CREATE TABLE tracking_events (id INTEGER PRIMARY KEY, page_url, referrer_url);
INSERT INTO projects VALUES ('p', NULL);
INSERT INTO pixels VALUES ('x', 'p', NULL);
"""
STATEMENT = f"""
WITH visits AS (
  SELECT
    1 AS visitor_id, 1 AS session_id, 1 AS events, 0 AS submissions, 1 AS first_id,
    ?1 ->> 'source' AS source, ?1 ->> 'medium' AS medium, ?1 ->> 'ad' AS ad,
    {CAMPAIGN_KIND} AS campaign_kind
  FROM (SELECT ?1 ->> 'campaign' AS utm_campaign)
),
{count_by_channel("visits", "first_id")}
SELECT value FROM counted
"""
SITE = "https://www.client.example/landing"


class Database:
    """The tables that the statement reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def channel(self, source: str = "direct", medium: str = "unknown", **others: object) -> str:
        """Of a visit, which may have a campaign, an ad, a referrer and a configuration."""
        execute = self.connection.execute
        execute("DELETE FROM tracking_events")
        execute("INSERT INTO tracking_events VALUES (1, ?, ?)", (SITE, others.get("referrer")))
        execute("UPDATE projects SET configuration = ?", (others.get("configuration"),))
        visit = {"pixel_id": "x", "source": source, "medium": medium, **others}
        [(channel,)] = execute(STATEMENT, (json.dumps(visit),)).fetchall()
        return str(channel)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield Database(connection)
    connection.close()


def test_the_table_has_all_channels_in_their_order() -> None:
    assert tuple(rule.channel for rule in CHANNEL_RULES) == CHANNELS


def test_the_documentation_prints_the_table() -> None:
    text = (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")
    rows = [f"| {rule.channel} | {rule.meaning} |" for rule in CHANNEL_RULES]
    rows.append(f"| {UNASSIGNED} | everything else |")
    assert "\n".join(rows) in text


@pytest.mark.parametrize(
    ("source", "medium", "channel"),
    [
        ("google", "cpc", "Paid Search"),
        ("Google Ads", "PPC", "Paid Search"),
        (" google ", "cpc", "Paid Search"),
        ("adwords", "paid-search", "Paid Search"),
        ("facebook_ads", "paid-social", "Paid Social"),
        ("fb", "cpm", "Paid Social"),
        ("x", "cpc", "Paid Social"),
        *((place, "paid", "Paid Social") for place in ("fb", "ig", "an", "msg", "th", " AN ")),
        ("th", "paid_social", "Paid Social"),
        ("msg", "cpm", "Paid Social"),
        ("msg", "email", "Email"),
        ("th", "unknown", "Unassigned"),
        ("x-ads", "cpc", "Paid Social"),
        ("youtube", "cpv", "Paid Video"),
        ("youtube.com", "cpc", "Paid Video"),
        ("amazon", "ppc", "Paid Shopping"),
        ("partner", "cpc", "Paid Other"),
        ("partner", "retargeting", "Paid Other"),
        ("partner", "display", "Display"),
        ("google", "display", "Display"),
        ("partner", "cpm", "Display"),
        ("chatgpt.com", "unknown", "AI Assistant"),
        ("chatgpt.com", "referral", "AI Assistant"),
        ("perplexity", "organic", "AI Assistant"),
        ("chatgpt.com", "cpc", "Paid Other"),
        ("etsy", "referral", "Organic Shopping"),
        ("facebook", "unknown", "Organic Social"),
        ("linkedin", "post", "Organic Social"),
        ("spring", "Social", "Organic Social"),
        ("youtube", "unknown", "Organic Video"),
        ("spring", "video", "Organic Video"),
        ("bing", "organic", "Organic Search"),
        ("google", "unknown", "Organic Search"),
        ("news", "organic", "Organic Search"),
        ("news", "email", "Email"),
        ("e-mail", "may", "Email"),
        ("partner", "affiliate", "Affiliates"),
        ("partner", "referral", "Referral"),
        ("spotify", "audio", "Audio"),
        ("sms", "may", "SMS"),
        ("may", "sms", "SMS"),
        ("may", "web-push", "Mobile Push"),
        ("firebase", "may", "Mobile Push"),
        ("direct", "unknown", "Direct"),
        ("(direct)", "(none)", "Direct"),
        ("poster", "print", "Unassigned"),
        ("accounts.google.com", "unknown", "Unassigned"),
        ("googleblog", "unknown", "Unassigned"),
        ("www.google.com", "organic", "Organic Search"),
        ("www.google.com", "cpc", "Paid Search"),
        ("www.chatgpt.com", "unknown", "AI Assistant"),
        ("chatgpt.com/", "unknown", "AI Assistant"),
        ("https://ChatGPT.com", "unknown", "AI Assistant"),
        ("copilot.com", "unknown", "AI Assistant"),
    ],
)
def test_a_source_and_a_medium(database: Database, source: str, medium: str, channel: str) -> None:
    assert database.channel(source, medium) == channel


@pytest.mark.parametrize(
    ("campaign", "medium", "channel"),
    [
        ("EU | Cross-network | May", "cpc", "Cross-network"),
        ("Shopping DE", "cpc", "Paid Shopping"),
        ("Shopping DE", "email", "Organic Shopping"),
        ("eshop", "cpc", "Paid Shopping"),
        ("shop-may", "cpc", "Paid Shopping"),
        ("workshop", "cpc", "Paid Other"),
        ("bishop", "email", "Email"),
    ],
)
def test_a_campaign(database: Database, campaign: str, medium: str, channel: str) -> None:
    assert database.channel("partner", medium, campaign=campaign) == channel


@pytest.mark.parametrize(
    ("ad", "source", "medium", "channel"),
    [
        ("search", "google", "cpc", "Paid Search"),
        ("search", "spring", "unknown", "Paid Search"),
        ("search", "youtube", "unknown", "Paid Video"),
        ("search", "google", "display", "Display"),
        ("search", "dv360", "cpm", "Display"),
        ("search", "google", "cpm", "Paid Search"),
        ("social", "spring", "banner", "Display"),
        ("assistant", "spring", "unknown", "Paid Other"),
        ("assistant", "chatgpt", "cpc", "Paid Other"),
        (None, "google", "display", "Display"),
        (None, "impact", "affiliate", "Affiliates"),
        ("social", "tiktok", "social", "Paid Social"),
        ("social", "spring", "video", "Paid Social"),
        (None, "facebook", "social", "Organic Social"),
    ],
)
def test_a_click_id(
    database: Database, ad: str | None, source: str, medium: str, channel: str
) -> None:
    assert database.channel(source, medium, ad=ad) == channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://www.google.co.uk/", "Organic Search"),
        ("https://google.com/search?q=a", "Organic Search"),
        ("https://search.brave.com/search?q=a", "Organic Search"),
        ("https://de.search.yahoo.com/", "Organic Search"),
        ("android-app://com.google.android.googlequicksearchbox/", "Organic Search"),
        ("android-app://com.google.android.gm/", "Email"),
        ("android-app://com.linkedin.android", "Organic Social"),
        ("https://accounts.google.com/", "Referral"),
        ("https://docs.google.com/document", "Referral"),
        ("https://teams.microsoft.com/", "Referral"),
        ("https://ask.fm/", "Referral"),
        *(
            (f"https://{host}/", "Referral")
            for host in (
                *("aws.amazon.com", "admin.shopify.com", "platform.openai.com"),
                *("docs.anthropic.com", "accounts.youtube.com", "developers.facebook.com"),
            )
        ),
        *(
            (f"https://{host}/", "Organic Search")
            for host in (
                *("google.al", "www.google.com.mm", "images.google.com", "at.search.yahoo.com"),
                *("yahoo.co.jp", "sogou.com", "www.naver.com", "m.yandex.ru", "msn.com"),
                *("safe.duckduckgo.com", "www.google.com:443", "google.de."),
            )
        ),
        ("https://pinterest.ch/", "Organic Social"),
        ("https://de-de.facebook.com/", "Organic Social"),
        ("https://out.reddit.com/", "Organic Social"),
        ("https://ebay.ch/", "Organic Shopping"),
        ("https://copilot.com/", "AI Assistant"),
        ("https://my-google.example/", "Referral"),
        ("https://google.com.evil.example/", "Referral"),
        ("https://gemini.google.com/", "AI Assistant"),
        ("https://chatgpt.com/", "AI Assistant"),
        ("https://chat.openai.com/c/1", "AI Assistant"),
        ("https://www.perplexity.ai/search", "AI Assistant"),
        ("https://claude.ai/", "AI Assistant"),
        ("https://copilot.microsoft.com/", "AI Assistant"),
        ("https://l.facebook.com/l.php", "Organic Social"),
        ("https://t.co/abc", "Organic Social"),
        ("https://de.linkedin.com/", "Organic Social"),
        ("https://m.youtube.com/watch", "Organic Video"),
        ("https://www.amazon.de/", "Organic Shopping"),
        ("https://mail.google.com/mail/u/0", "Email"),
        ("https://mail.partner.example/", "Referral"),
        ("https://google.partner.example/", "Referral"),
        ("https://blog.example.org/post", "Referral"),
        ("https://client.example/other", "Direct"),
        ("https://shop.client.example/other", "Direct"),
        ("", "Direct"),
        (None, "Direct"),
    ],
)
def test_a_referring_site(database: Database, referrer: str | None, channel: str) -> None:
    assert database.channel(referrer=referrer) == channel


RULES = [
    {"source": "Partner", "channel": "Affiliates"},
    {"source": "blog.partner.example", "channel": "Email"},
    {"medium": "fieldsales", "channel": "Audio"},
    {"source": "https://www.Radio.example/", "channel": "Audio"},
    {"source": "google", "medium": "cpc", "channel": "Display"},
]


@pytest.mark.parametrize(
    ("source", "medium", "referrer", "channel"),
    [
        ("partner", "cpc", None, "Affiliates"),
        ("x", " FieldSales ", None, "Audio"),
        ("google", "cpc", None, "Display"),
        ("google", "organic", None, "Organic Search"),
        ("direct", "unknown", "https://www.radio.example/x", "Audio"),
        ("radio.example", "x", None, "Audio"),
        ("direct", "unknown", "https://blog.partner.example/a", "Email"),
        ("direct", "unknown", "https://www.partner.example/", "Referral"),
    ],
)
def test_a_projects_own_rules_come_first(
    database: Database, source: str, medium: str, referrer: str | None, channel: str
) -> None:
    configuration = json.dumps({"channel_rules": RULES})
    assert (
        database.channel(source, medium, referrer=referrer, configuration=configuration) == channel
    )


@pytest.mark.parametrize(
    "configuration",
    ["", "no JSON", "[1]", '{"channel_rules": 5}', '{"channel_rules": ["x", null, 5]}', "{}"],
)
def test_a_broken_configuration_has_no_rules(database: Database, configuration: str) -> None:
    assert database.channel("google", "cpc", configuration=configuration) == "Paid Search"


TEXTS = st.text(max_size=12) | st.sampled_from(("google", "cpc", "email", "x", "video", "direct"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, TEXTS, st.none() | TEXTS, st.sampled_from((None, "search", "social")))
def test_every_visit_has_one_channel_whatever_the_case_and_spaces(
    database: Database, source: str, medium: str, campaign: str | None, ad: str | None
) -> None:
    def clean(text: str | None) -> str | None:
        return text and "".join(filter(str.isprintable, text)).strip()

    words = (clean(source) or "direct", clean(medium) or "unknown")
    channel = database.channel(*words, campaign=clean(campaign), ad=ad)
    assert channel in {*CHANNELS, UNASSIGNED}
    if all(word.isascii() for word in words):
        source, medium = (f" {word.upper()} " for word in words)
        if words[0] != "direct":
            assert database.channel(source, medium, campaign=clean(campaign), ad=ad) == channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://pay.example/done", "Direct"),
        ("https://www.pay.example:8443/?a", "Direct"),
        ("https://shop.PAY.example./", "Direct"),
        ("https://evil-pay.example/", "Referral"),
        ("https://pay.example.evil.example/", "Referral"),
        ("https://other.example/?u=://pay.example/", "Referral"),
        ("https://www.google.com/", "Organic Search"),
    ],
)
def test_a_site_that_the_pixel_names_as_its_own_is_no_referral(
    database: Database, referrer: str, channel: str
) -> None:
    own_sites = ["blog.example", "pay.example"]
    assert database.channel(referrer=referrer, own_sites=own_sites) == channel
    assert database.channel("direct", "none", referrer=referrer, own_sites=own_sites) == channel
    assert database.channel("partner", "none", referrer=referrer, own_sites=own_sites) == (
        database.channel("partner", "none")
    )


def test_rules_and_lists_that_change_have_a_new_version() -> None:
    rules = (AD, CAMPAIGN_KIND, count_by_channel("visits", "first_id"))
    digest = hashlib.sha256("".join("\n".join(rules).split()).encode()).hexdigest()[:12]
    assert (CLASSIFIER_VERSION, digest) == (5, "94c85aa08611"), "raise CLASSIFIER_VERSION"


def test_the_lists_have_hosts_and_words_in_lower_case_and_no_two_kinds() -> None:
    lists = {name: text.split() for name, text in vars(traffic_sources).items() if name.isupper()}
    names = [name for listed in lists.values() for name in listed]
    assert len(names) == len(set(names)) > 600
    assert [name for name in names if not re.fullmatch(r"[a-z0-9.-]+", name)] == []
