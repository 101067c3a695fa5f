from collections.abc import Mapping
from dataclasses import replace

import pytest

from handlers import (
    Handler,
    analytics,
    backups,
    export,
    health,
    home,
    legacy_projects,
    legacy_reports,
    privacy,
    projects,
    tracking,
    waiting,
)
from routes import (
    EXPORT,
    HEALTH,
    HOME,
    LEGACY_EXPORT,
    LEGACY_PIXEL,
    LEGACY_PROJECT,
    LEGACY_PROJECTS,
    LEGACY_STATS,
    PIXEL,
    PIXEL_GIF,
    PIXELS,
    PROJECT,
    PROJECTS,
    REALTIME,
    STATS,
    TRACK,
    Route,
    routes_by_method,
)
from services.access.bots import is_bot, is_browsing_bot


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
        ("GET", "/health/cron", health.cron),
        ("GET", "/api/health/cron", health.cron),
        ("GET", "/", home.home),
        ("GET", "/api/analytics/realtime/demo-pixel", legacy_reports.realtime),
        ("GET", "/api/reports/realtime/demo-pixel", analytics.realtime),
        ("GET", "/api/analytics/export/demo-pixel", export.legacy_export),
        ("GET", "/api/reports/export/demo-pixel", export.export),
        ("GET", "/api/analytics/stats/demo-pixel", legacy_reports.stats),
        ("GET", "/api/reports/stats/demo-pixel", analytics.stats),
        ("GET", "/api/analytics/debug/utm-analysis", legacy_reports.utm_analysis),
        ("GET", "/api/reports/debug/utm-analysis", analytics.utm_analysis),
        ("GET", "/api/analytics/metrics", legacy_reports.metrics),
        ("GET", "/api/reports/metrics", analytics.metrics),
        ("GET", "/api/reports/breakdown/demo-pixel", analytics.breakdown),
        ("GET", "/api/analytics/project/demo-project/stats", legacy_reports.project_stats),
        ("GET", "/api/reports/project/demo-project/stats", analytics.project_stats),
        ("POST", "/api/privacy/find", privacy.find),
        ("POST", "/api/privacy/export", privacy.export),
        ("POST", "/api/privacy/erase", privacy.erase),
        ("GET", "/api/privacy/receipts", privacy.receipts),
        ("GET", "/api/privacy/receipts/some-id", privacy.receipt),
    ],
)
def test_every_address_has_its_handler(method: str, path: str, handler: Handler) -> None:
    routes = routes_by_method(path)
    assert list(routes) == [method]
    assert routes[method].handler is handler


MANAGED: dict[str, dict[str, Handler]] = {
    "/api/manage/projects": {
        "GET": projects.PROJECT_HANDLERS.list_page,
        "POST": projects.PROJECT_HANDLERS.create,
    },
    "/api/manage/projects/acme": {
        "GET": projects.PROJECT_HANDLERS.read,
        "PUT": projects.PROJECT_HANDLERS.change,
        "DELETE": projects.PROJECT_HANDLERS.switch_off,
    },
    "/api/manage/projects/acme/pixels": {
        "GET": projects.PIXEL_HANDLERS.list_page,
        "POST": projects.PIXEL_HANDLERS.create,
    },
    "/api/projects": {
        "GET": legacy_projects.list_projects,
        "POST": legacy_projects.create_project,
    },
    "/api/projects/acme": {
        "GET": legacy_projects.read_project,
        "PUT": legacy_projects.change_project,
        "DELETE": legacy_projects.switch_off_project,
    },
    "/api/projects/acme/pixels": {
        "GET": legacy_projects.list_pixels,
        "POST": legacy_projects.create_pixel,
    },
    "/api/projects/pixels/shop": {
        "GET": legacy_projects.read_pixel,
        "PUT": legacy_projects.change_pixel,
        "DELETE": legacy_projects.switch_off_pixel,
    },
    "/api/backups": {"GET": backups.list_backups, "POST": backups.start_backup},
    "/api/backups/one": {"GET": backups.read_backup},
    "/api/backups/one/continue": {"POST": backups.continue_backup},
    "/api/waiting": {"GET": waiting.count_waiting},
    "/api/waiting/replay": {"POST": waiting.replay},
    "/api/manage/pixels/shop": {
        "GET": projects.PIXEL_HANDLERS.read,
        "PUT": projects.PIXEL_HANDLERS.change,
        "DELETE": projects.PIXEL_HANDLERS.switch_off,
    },
}


@pytest.mark.parametrize("path", MANAGED)
def test_projects_and_pixels_have_a_handler_for_each_method(path: str) -> None:
    routes = routes_by_method(path)
    assert {method: route.handler for method, route in routes.items()} == MANAGED[path]


@pytest.mark.parametrize(
    "path", ["/e", "/api/track", "/api/track/pixel.gif", "/health", "/api/reports/realtime/demo"]
)
def test_a_trailing_slash_changes_nothing(path: str) -> None:
    assert routes_by_method(f"{path}/") is routes_by_method(path)


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
        "/api/analytics/export",
        "/api/analytics/stats",
        "/api/analytics/stats/demo-pixel/x",
        "/api/statistics/realtime/demo-pixel",
        "/realtime/demo-pixel",
        "/api/projects/acme/pixels/shop",
        "/api/analytics/breakdown/demo-pixel",
        "/api/manage",
        "/api/manage/pixels",
        "/api/manage/projects/pixels/shop",
        "/api/projects/acme/settings",
        "/api/projects/pixels/shop/x",
        "/projects",
        "/admin",
        "/.env",
        "/../health",
        "/api//track",
        "/p.js/x",
    ],
)
def test_anything_else_is_nothing(path: str) -> None:
    assert not routes_by_method(path)


def test_servers_post_events_of_their_own_to_the_old_addresses_only() -> None:
    for path in ("/api/track", "/api/track/track"):
        policy = routes_by_method(path)["POST"].policy
        assert policy == replace(TRACK["POST"].policy, refuses_agent=is_browsing_bot)


def test_tracking_is_limited_closed_to_bots_and_open_to_every_site() -> None:
    policy = TRACK["POST"].policy
    assert (policy.limit, policy.refuses_agent, policy.cross_origin) == ("tracking", is_bot, True)
    assert policy.key is None


def test_the_image_is_answered_whatever_happens() -> None:
    policy = PIXEL_GIF["GET"].policy
    assert (policy.limit, policy.key, policy.refuses_agent) == ("tracking", None, is_bot)
    assert policy.stand_in
    assert (policy.stand_in.status, policy.stand_in.headers["Content-Type"]) == (200, "image/gif")


def test_the_numbers_need_a_key_and_are_read_by_no_other_site() -> None:
    for routes in (EXPORT, REALTIME, STATS):
        policy = routes["GET"].policy
        assert (policy.limit, policy.key, policy.cross_origin) == ("analytics", "view", False)


@pytest.mark.parametrize(
    "routes", [LEGACY_EXPORT, LEGACY_STATS, LEGACY_PROJECTS, LEGACY_PROJECT, LEGACY_PIXEL]
)
def test_old_addresses_need_the_same_key_and_are_open_to_pages_of_any_site(
    routes: Mapping[str, Route],
) -> None:
    for method, route in routes.items():
        assert route.policy.cross_origin
        reading = {"analytics": "view", "management": "read"}
        assert route.policy.key == (
            reading[str(route.policy.limit)] if method == "GET" else "admin"
        )


def test_reading_projects_needs_a_key_and_changing_them_one_of_an_admin() -> None:
    for routes in (PROJECTS, PROJECT, PIXELS, PIXEL):
        for method, route in routes.items():
            policy = route.policy
            assert (policy.limit, policy.cross_origin) == ("management", False)
            assert policy.key == ("read" if method == "GET" else "admin")


def test_monitors_need_no_key_and_are_not_limited() -> None:
    for routes in (HEALTH, HOME):
        policy = routes["GET"].policy
        assert (policy.limit, policy.key, policy.refuses_agent) == (None, None, None)


def test_a_key_is_never_asked_for_without_a_limit() -> None:
    for routes in (
        TRACK,
        PIXEL_GIF,
        HEALTH,
        HOME,
        EXPORT,
        REALTIME,
        STATS,
        PROJECTS,
        PROJECT,
        PIXELS,
        PIXEL,
    ):
        for route in routes.values():
            assert route.policy.key is None or route.policy.limit is not None
