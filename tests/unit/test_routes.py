import pytest

from handlers import analytics, health, home, tracking
from routes import HEALTH, HOME, PIXEL_GIF, REALTIME, STATS, TRACK, Handler, methods_of


@pytest.mark.parametrize(
    ("method", "path", "handler"),
    [
        ("POST", "/e", tracking.track),
        ("POST", "/api/track", tracking.track),
        ("POST", "/api/track/track", tracking.track),
        ("GET", "/api/track/pixel.gif", tracking.pixel_gif),
        ("GET", "/e/page.gif", tracking.pixel_gif),
        ("GET", "/health", health.health),
        ("GET", "/api/health", health.health),
        ("GET", "/", home.home),
        ("GET", "/api/analytics/realtime/demo-pixel", analytics.realtime),
        ("GET", "/api/reports/realtime/demo-pixel", analytics.realtime),
        ("GET", "/api/analytics/stats/demo-pixel", analytics.stats),
        ("GET", "/api/reports/stats/demo-pixel", analytics.stats),
    ],
)
def test_every_address_has_its_handler(method: str, path: str, handler: Handler) -> None:
    routes = methods_of(path)
    assert list(routes) == [method]
    assert routes[method].handler is handler


@pytest.mark.parametrize(
    "path", ["/e", "/api/track", "/api/track/pixel.gif", "/health", "/api/reports/realtime/demo"]
)
def test_a_trailing_slash_changes_nothing(path: str) -> None:
    assert methods_of(f"{path}/") is methods_of(path)


def test_analytics_has_two_names() -> None:
    assert methods_of("/api/analytics/realtime/demo") is methods_of("/api/reports/realtime/demo")


@pytest.mark.parametrize(
    "path",
    [
        "/E",
        "/e/e",
        "/event",
        "/api",
        "/api/e",
        "/api/track/event",
        "/api/track/pixel.png",
        "/api/tracks",
        "/api/trac%6b",
        "/track",
        "/pixel.gif",
        "/healthz",
        "/api/analytics",
        "/api/analytics/realtime",
        "/api/analytics/realtime/",
        "/api/analytics/stats",
        "/api/analytics/stats/demo-pixel/x",
        "/api/statistics/realtime/demo-pixel",
        "/realtime/demo-pixel",
        "/admin",
        "/.env",
        "/../health",
        "/api//track",
        "/p.js/x",
    ],
)
def test_anything_else_is_nothing(path: str) -> None:
    assert not methods_of(path)


def test_tracking_is_limited_closed_to_bots_and_open_to_every_site() -> None:
    policy = TRACK["POST"].policy
    assert (policy.limit, policy.refuse_bots, policy.cross_origin) == ("tracking", True, True)
    assert policy.key is None


def test_the_image_is_answered_whatever_happens() -> None:
    policy = PIXEL_GIF["GET"].policy
    assert (policy.limit, policy.key, policy.refuse_bots) == ("tracking", None, True)
    assert policy.stand_in
    assert (policy.stand_in.status, policy.stand_in.headers["Content-Type"]) == (200, "image/gif")


def test_the_numbers_need_a_key_and_are_read_by_no_other_site() -> None:
    for routes in (REALTIME, STATS):
        policy = routes["GET"].policy
        assert (policy.limit, policy.key, policy.cross_origin) == ("analytics", "read", False)


def test_monitors_need_no_key_and_are_not_limited() -> None:
    for routes in (HEALTH, HOME):
        policy = routes["GET"].policy
        assert (policy.limit, policy.key, policy.refuse_bots) == (None, None, False)


def test_a_key_is_never_asked_for_without_a_limit() -> None:
    for routes in (TRACK, PIXEL_GIF, HEALTH, HOME, REALTIME, STATS):
        for route in routes.values():
            assert route.policy.key is None or route.policy.limit is not None
