import shutil
from pathlib import Path

import pytest

from ad_block import (
    ENDPOINTS,
    HOST,
    OLD,
    RULES,
    SITES,
    Request,
    Verdict,
    asset_paths,
    asset_requests,
    judge,
    main,
)
from paths import ASSETS
from routes import routes_by_method

SITE, OWN_SITE = SITES
SHOP = "https://www.shop.example"

# What was measured to be blocked on hosts of no fame, and the rule that does it.
BLOCKED = [
    (HOST, "/api/track/track", "xmlhttprequest", "/pixel.*/track/*"),
    (SHOP, "/api/analytics/metrics", "xmlhttprequest", "/api/analytics/*"),
    (SHOP, "/t.gif?e=1", "image", "/t.gif?"),
    (SHOP, "/pixel.gif?e=1", "image", "/pixel.gif?"),
    (SHOP, "/px.gif?e=1", "image", "/px.gif?"),
    (SHOP, "/1x1.gif?e=1", "image", "/1x1.gif?"),
    (SHOP, "/api/track?guid=1", "xmlhttprequest", "/api/track?guid"),
    (SHOP, "/api/v1/track/event", "xmlhttprequest", "/api/v1/track/*"),
    (SHOP, "/api/tracking/event", "xmlhttprequest", "/api/tracking/*"),
    (SHOP, "/api/pageview?e=1", "xmlhttprequest", "/api/pageview?"),
    (SHOP, "/api/pixel?e=1", "xmlhttprequest", "/api/pixel?"),
    (SHOP, "/beacon.js", "script", "/beacon.js"),
    (SHOP, "/v1/pixel.js", "script", "/v1/pixel.js"),
    (SHOP, "/web-vitals.js", "script", "/web-vitals."),
    ("https://stats.shop.example", "/script.js", "script", "://stats.*/script.js"),
    ("https://track.shop.example", "/collect", "ping", "://track.*/collect"),
    ("https://tracking.shop.example", "/event", "ping", "://tracking.*/event"),
    ("https://analytics.shop.example", "/event", "ping", "://analytics.*/event"),
]
PASSING = [
    (HOST, "/e", "xmlhttprequest"),
    (HOST, "/e", "ping"),
    (HOST, "/v1/e", "ping"),
    (HOST, "/p.js", "script"),
    (HOST, "/s.js", "script"),
    (HOST, "/api/reports/metrics", "xmlhttprequest"),
    ("https://go.shop.example", "/e", "ping"),
    (SHOP, "/p.js", "script"),
]


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A copy of what the build made, to be added to."""
    return Path(shutil.copytree(ASSETS, tmp_path / "assets"))


@pytest.mark.parametrize("site", SITES)
def test_what_ad_blockers_are_known_to_block_is_blocked(site: str) -> None:
    verdicts = judge([Request(path, kind, site, host) for host, path, kind, _ in BLOCKED])
    assert [verdict.rule for verdict in verdicts] == [rule for *_, rule in BLOCKED]


@pytest.mark.parametrize("site", SITES)
def test_what_they_are_known_to_let_through_passes(site: str) -> None:
    verdicts = judge([Request(path, kind, site, host) for host, path, kind in PASSING])
    assert [verdict.rule for verdict in verdicts] == [None] * len(PASSING)


def test_every_rule_is_generic() -> None:
    rules = RULES.read_text(encoding="utf-8").splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("!")]
    assert len(rules) == len(set(rules)) >= len(BLOCKED)
    assert not [rule for rule in rules if rule.startswith(("||", "@@"))]


def test_all_that_the_build_made_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed, errors = capsys.readouterr()
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert lines["/p.js"].endswith("passes")
    assert lines["/e"].endswith("passes")
    assert lines["/api/track/track"].endswith("old, blocked by /pixel.*/track/*")
    assert "BLOCKED" not in printed
    assert errors == ""


def test_a_new_asset_under_a_tell_tale_name_fails_with_the_rule(
    assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (assets / "beacon.js").touch()
    assert main(assets) == 1
    printed, errors = capsys.readouterr()
    assert "BLOCKED by /beacon.js" in printed
    assert errors.splitlines() == [
        f"error: ad blockers block /beacon.js (script on {site}): rule /beacon.js" for site in SITES
    ]


def test_an_address_that_stands_only_in_the_headers_is_judged_too(assets: Path) -> None:
    with (assets / "_headers").open("a", encoding="utf-8") as headers:
        headers.write("/v1/pixel.js\n  Cache-Control: no-store\n/web-vitals/*\n  X: y\n")
    assert {"/v1/pixel.js", "/web-vitals/any"} <= set(asset_paths(assets))
    failures = [request for request in judge(asset_requests(assets)) if request.fails]
    assert {request.request.path for request in failures} == {"/v1/pixel.js"}


def test_what_workers_assets_do_not_serve_is_not_judged(assets: Path) -> None:
    (assets / ".assetsignore").touch()
    assert not [path for path in asset_paths(assets) if path.startswith(("/_", "/."))]


def test_both_kinds_of_sites_are_asked_for_every_asset(assets: Path) -> None:
    requests = [(request.path, request.origin) for request in asset_requests(assets)]
    assert requests == [(path, site) for path in asset_paths(assets) for site in (SITE, OWN_SITE)]


@pytest.mark.parametrize("path", ["/pixel.js", "/api/track", "/api/analytics/realtime/a?b=c"])
def test_an_old_address_may_be_blocked(path: str) -> None:
    verdict = Verdict(Request(path, "script", SITE), "/some-rule")
    assert not verdict.fails
    assert str(verdict) == "old, blocked by /some-rule"


@pytest.mark.parametrize("path", ["/p.js", "/api/tracker", "/api/analytic", "/v2/pixel.js"])
def test_an_address_that_only_resembles_an_old_one_may_not(path: str) -> None:
    assert Verdict(Request(path, "script", SITE), "/some-rule").fails


def test_every_endpoint_that_is_judged_exists() -> None:
    paths = {request.path.partition("?")[0] for request in ENDPOINTS}
    assert not [path for path in paths if not routes_by_method(path)]


def test_every_old_address_is_still_there() -> None:
    judged = [*asset_requests(ASSETS), *ENDPOINTS]
    assert {request.old for request in judged if request.old} == set(OLD.values())
