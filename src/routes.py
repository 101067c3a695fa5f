"""The one table: method and path to handler and policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from handlers import (
    Handler,
    alerts,
    analytics,
    archive,
    backups,
    export,
    health,
    home,
    key,
    legacy_projects,
    legacy_reports,
    privacy,
    projects,
    shared_views,
    tracking,
    waiting,
)
from scopes import Scope
from services.access.api_keys import Access
from services.access.bots import Header, is_bot, is_browsing_bot
from web import Request, Response

LimitName = Literal["tracking", "leads", "analytics", "management"]


@dataclass(frozen=True, slots=True)
class Reserve:
    """A second limit, for the requests that `admits` accepts when the first one is used up."""

    limit: LimitName
    admits: Callable[[Request], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The checks before a handler runs, and who may read the answer.

    `refuses_agent` says of a user agent and the request's headers whether it is answered 204 and
    nothing else.
    `hides_persons`: only a key with the permission `leads` sees in the answer who visitors are.
    `hides_secrets`: only a key with the role `admin` sees what configurations hold beside settings.
    `scope` says which project a request is about; without one it needs a key for all projects.
    `stand_in` replaces every answer whose status is not 200.
    """

    limit: LimitName | None = None
    reserve: Reserve | None = None
    key: Access | None = None
    scope: Scope | None = None
    cross_origin: bool = False
    refuses_agent: Callable[[str, Header], bool] | None = None
    hides_persons: bool = False
    hides_secrets: bool = False
    stand_in: Response | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and its policy."""

    handler: Handler
    policy: Policy


def _within(policy: Policy, scope: Scope) -> Policy:
    """A policy whose requests are about a part of the projects, which a limited key may have."""
    return replace(policy, scope=scope)


OPEN = Policy(cross_origin=True)
# Page views of a shared office must not use up what its leads need.
TRACKING = Policy(
    limit="tracking",
    reserve=Reserve("leads", tracking.has_lead),
    cross_origin=True,
    refuses_agent=is_bot,
)
# An error would show as a broken image on the client's page.
FALLBACK_IMAGE = replace(
    TRACKING, reserve=Reserve("leads", tracking.image_has_lead), stand_in=tracking.GIF_ALONE
)
READING = Policy(limit="analytics", key="view", hides_persons=True)
MANAGEMENT_READING = Policy(limit="management", key="read", hides_secrets=True)
# Any site may ask at the old addresses, as ever: without a key of its own it reads nothing.
LEGACY_READING = replace(READING, cross_origin=True)
LEGACY_MANAGEMENT_READING = replace(MANAGEMENT_READING, cross_origin=True)
MANAGING = Policy(limit="management", key="admin")
LEGACY_MANAGING = replace(MANAGING, cross_origin=True)
# A path ends with the id of a pixel or a project, or has it before its last word.
PIXEL_SCOPE, PROJECT_SCOPE = Scope("pixel"), Scope("project")
PARENT_SCOPE = Scope("project", segment=-2)
HANDLER_SCOPE = Scope("handler")
# A large backup, a person with a long history, or the archive of another deployment takes more
# portions than the management limit allows requests.
IN_PORTIONS = Policy(limit="analytics", key="admin")

TRACK = {"POST": Route(tracking.track, TRACKING)}
# Servers post events of their own to the old addresses, as they always could.
LEGACY_TRACK = {"POST": Route(tracking.track, replace(TRACKING, refuses_agent=is_browsing_bot))}
PIXEL_GIF = {"GET": Route(tracking.pixel_gif, FALLBACK_IMAGE)}
HEALTH = {"GET": Route(health.health, OPEN)}
CRON_HEALTH = {"GET": Route(health.cron, OPEN)}
HOME = {"GET": Route(home.home, OPEN)}
ARCHIVE = {"POST": Route(archive.receive, IN_PORTIONS)}
EXPORT = {"GET": Route(export.export, _within(READING, PIXEL_SCOPE))}
BREAKDOWN = {"GET": Route(analytics.breakdown, _within(READING, PIXEL_SCOPE))}
METRICS = {"GET": Route(analytics.metrics, READING)}
REALTIME = {"GET": Route(analytics.realtime, _within(READING, PIXEL_SCOPE))}
PROJECT_STATS = {"GET": Route(analytics.project_stats, _within(READING, PARENT_SCOPE))}
STATS = {"GET": Route(analytics.stats, _within(READING, PIXEL_SCOPE))}
UTM_ANALYSIS = {"GET": Route(analytics.utm_analysis, READING)}
PROJECTS = {
    "GET": Route(projects.PROJECT_HANDLERS.list_page, _within(MANAGEMENT_READING, HANDLER_SCOPE)),
    "POST": Route(projects.PROJECT_HANDLERS.create, MANAGING),
}
PROJECT = {
    "GET": Route(projects.PROJECT_HANDLERS.read, _within(MANAGEMENT_READING, PROJECT_SCOPE)),
    "PUT": Route(projects.PROJECT_HANDLERS.change, _within(MANAGING, PROJECT_SCOPE)),
    "DELETE": Route(projects.PROJECT_HANDLERS.switch_off, _within(MANAGING, PROJECT_SCOPE)),
}
PIXELS = {
    "GET": Route(projects.PIXEL_HANDLERS.list_page, _within(MANAGEMENT_READING, PARENT_SCOPE)),
    "POST": Route(projects.PIXEL_HANDLERS.create, _within(MANAGING, PARENT_SCOPE)),
}
PIXEL = {
    "GET": Route(projects.PIXEL_HANDLERS.read, _within(MANAGEMENT_READING, PIXEL_SCOPE)),
    "PUT": Route(projects.PIXEL_HANDLERS.change, _within(MANAGING, PIXEL_SCOPE)),
    "DELETE": Route(projects.PIXEL_HANDLERS.switch_off, _within(MANAGING, PIXEL_SCOPE)),
}
VIEWS = {
    "GET": Route(shared_views.list_views, _within(MANAGING, PARENT_SCOPE)),
    "POST": Route(shared_views.create, _within(MANAGING, PARENT_SCOPE)),
}
VIEW = {"DELETE": Route(shared_views.revoke, _within(MANAGING, Scope("project", segment=-3)))}
KEY = {"GET": Route(key.describe, _within(READING, HANDLER_SCOPE))}
LEGACY_EXPORT = {"GET": Route(export.legacy_export, _within(LEGACY_READING, PIXEL_SCOPE))}
LEGACY_METRICS = {"GET": Route(legacy_reports.metrics, LEGACY_READING)}
LEGACY_PROJECT_STATS = {
    "GET": Route(legacy_reports.project_stats, _within(LEGACY_READING, PARENT_SCOPE))
}
LEGACY_REALTIME = {"GET": Route(legacy_reports.realtime, _within(LEGACY_READING, PIXEL_SCOPE))}
LEGACY_STATS = {"GET": Route(legacy_reports.stats, _within(LEGACY_READING, PIXEL_SCOPE))}
LEGACY_UTM_ANALYSIS = {"GET": Route(legacy_reports.utm_analysis, LEGACY_READING)}
LEGACY_PROJECTS = {
    "GET": Route(legacy_projects.list_projects, _within(LEGACY_MANAGEMENT_READING, HANDLER_SCOPE)),
    "POST": Route(legacy_projects.create_project, LEGACY_MANAGING),
}
LEGACY_PROJECT = {
    "GET": Route(legacy_projects.read_project, _within(LEGACY_MANAGEMENT_READING, PROJECT_SCOPE)),
    "PUT": Route(legacy_projects.change_project, _within(LEGACY_MANAGING, PROJECT_SCOPE)),
    "DELETE": Route(legacy_projects.switch_off_project, _within(LEGACY_MANAGING, PROJECT_SCOPE)),
}
LEGACY_PIXELS = {
    "GET": Route(legacy_projects.list_pixels, _within(LEGACY_MANAGEMENT_READING, PARENT_SCOPE)),
    "POST": Route(legacy_projects.create_pixel, _within(LEGACY_MANAGING, PARENT_SCOPE)),
}
LEGACY_PIXEL = {
    "GET": Route(legacy_projects.read_pixel, _within(LEGACY_MANAGEMENT_READING, PIXEL_SCOPE)),
    "PUT": Route(legacy_projects.change_pixel, _within(LEGACY_MANAGING, PIXEL_SCOPE)),
    "DELETE": Route(legacy_projects.switch_off_pixel, _within(LEGACY_MANAGING, PIXEL_SCOPE)),
}
PRIVACY = {
    "find": {"POST": Route(privacy.find, _within(IN_PORTIONS, HANDLER_SCOPE))},
    "export": {"POST": Route(privacy.export, _within(IN_PORTIONS, HANDLER_SCOPE))},
    "erase": {"POST": Route(privacy.erase, _within(IN_PORTIONS, HANDLER_SCOPE))},
    "receipts": {"GET": Route(privacy.receipts, IN_PORTIONS)},
}
RECEIPT = {"GET": Route(privacy.receipt, IN_PORTIONS)}
BACKUPS = {
    "GET": Route(backups.list_backups, MANAGEMENT_READING),
    "POST": Route(backups.start_backup, MANAGING),
}
BACKUP = {"GET": Route(backups.read_backup, MANAGEMENT_READING)}
CONTINUED_BACKUP = {"POST": Route(backups.continue_backup, IN_PORTIONS)}
ALERTS = {"GET": Route(alerts.list_alerts, MANAGEMENT_READING)}
ACKNOWLEDGED_ALERT = {"POST": Route(alerts.acknowledge, MANAGING)}
WAITING = {"GET": Route(waiting.count_waiting, MANAGEMENT_READING)}
WAITING_REPLAY = {"POST": Route(waiting.replay, IN_PORTIONS)}
PIXEL_REPORTS = {"breakdown": BREAKDOWN, "realtime": REALTIME, "stats": STATS}
LEGACY_PIXEL_REPORTS = {
    "export": LEGACY_EXPORT,
    "realtime": LEGACY_REALTIME,
    "stats": LEGACY_STATS,
}
HEALTH_ROUTES = {"": HEALTH, "cron": CRON_HEALTH}
NO_ROUTES: Mapping[str, Route] = {}


def routes_by_method(path: str) -> Mapping[str, Route]:
    """The routes of a path by method; empty for an unknown path."""
    match path.strip("/").split("/"):
        case ["e"]:
            return TRACK
        case ["e", "page.gif"]:
            return PIXEL_GIF
        case ["health", *part] | ["api", "health", *part]:
            return HEALTH_ROUTES.get("/".join(part), NO_ROUTES)
        case ["api", area, *rest]:
            return _api_routes(area, rest)
        case [""]:
            return HOME
        case _:
            return NO_ROUTES


def _api_routes(area: str, rest: list[str]) -> Mapping[str, Route]:
    if area == "archive" and not rest:
        return ARCHIVE
    routes_of_area = AREAS.get(area)
    return routes_of_area(rest) if routes_of_area else NO_ROUTES


def _report_routes(report: list[str]) -> Mapping[str, Route]:
    match report:
        case ["export", _]:
            return EXPORT
        case ["metrics"]:
            return METRICS
        case ["project", _, "stats"]:
            return PROJECT_STATS
        case ["debug", "utm-analysis"]:
            return UTM_ANALYSIS
        case [name, _]:
            return PIXEL_REPORTS.get(name, NO_ROUTES)
        case _:
            return NO_ROUTES


def _management_routes(entry: list[str]) -> Mapping[str, Route]:
    match entry:
        case ["projects"]:
            return PROJECTS
        case ["projects", _]:
            return PROJECT
        case ["projects", _, "pixels"]:
            return PIXELS
        case ["projects", _, "views", *view]:
            return _view_routes(view)
        case ["pixels", _]:
            return PIXEL
        case _:
            return NO_ROUTES


def _view_routes(view: list[str]) -> Mapping[str, Route]:
    match view:
        case []:
            return VIEWS
        case [_]:
            return VIEW
        case _:
            return NO_ROUTES


def _key_routes(rest: list[str]) -> Mapping[str, Route]:
    return NO_ROUTES if rest else KEY


def _legacy_report_routes(report: list[str]) -> Mapping[str, Route]:
    match report:
        case ["metrics"]:
            return LEGACY_METRICS
        case ["project", _, "stats"]:
            return LEGACY_PROJECT_STATS
        case ["debug", "utm-analysis"]:
            return LEGACY_UTM_ANALYSIS
        case [name, _]:
            return LEGACY_PIXEL_REPORTS.get(name, NO_ROUTES)
        case _:
            return NO_ROUTES


def _alert_routes(entry: list[str]) -> Mapping[str, Route]:
    match entry:
        case []:
            return ALERTS
        case [_, "acknowledge"]:
            return ACKNOWLEDGED_ALERT
        case _:
            return NO_ROUTES


def _waiting_routes(entry: list[str]) -> Mapping[str, Route]:
    match entry:
        case []:
            return WAITING
        case ["replay"]:
            return WAITING_REPLAY
        case _:
            return NO_ROUTES


def _backup_routes(entry: list[str]) -> Mapping[str, Route]:
    match entry:
        case []:
            return BACKUPS
        case [_]:
            return BACKUP
        case [_, "continue"]:
            return CONTINUED_BACKUP
        case _:
            return NO_ROUTES


def _legacy_project_routes(entry: list[str]) -> Mapping[str, Route]:
    match entry:
        case []:
            return LEGACY_PROJECTS
        case ["pixels", _]:
            return LEGACY_PIXEL
        case [_, "pixels"]:
            return LEGACY_PIXELS
        case [_]:
            return LEGACY_PROJECT
        case _:
            return NO_ROUTES


def _privacy_routes(request: list[str]) -> Mapping[str, Route]:
    match request:
        case ["receipts", _]:
            return RECEIPT
        case [name]:
            return PRIVACY.get(name, NO_ROUTES)
        case _:
            return NO_ROUTES


def _legacy_track_routes(rest: list[str]) -> Mapping[str, Route]:
    match rest:
        case [] | ["track"]:
            return LEGACY_TRACK
        case ["pixel.gif"]:
            return PIXEL_GIF
        case _:
            return NO_ROUTES


AREAS: Mapping[str, Callable[[list[str]], Mapping[str, Route]]] = {
    "alerts": _alert_routes,
    "reports": _report_routes,
    "manage": _management_routes,
    "privacy": _privacy_routes,
    "backups": _backup_routes,
    "key": _key_routes,
    "waiting": _waiting_routes,
    "track": _legacy_track_routes,
    "analytics": _legacy_report_routes,
    "projects": _legacy_project_routes,
}
