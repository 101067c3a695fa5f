"""The fields a person of the account can have, and those of the demo account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One person field, as `GET /personFields` lists it; an option is its id and its label."""

    field_code: str
    field_name: str
    field_type: str
    options: tuple[tuple[int, str], ...] = ()
    is_custom_field: bool = True


BUILT_IN_FIELDS = (
    Field("id", "ID", "int", is_custom_field=False),
    Field("name", "Name", "varchar", is_custom_field=False),
    Field("first_name", "First name", "varchar", is_custom_field=False),
    Field("last_name", "Last name", "varchar", is_custom_field=False),
    Field("phones", "Phone", "phone", is_custom_field=False),
    Field("emails", "Email", "varchar", is_custom_field=False),
    Field("owner_id", "Owner", "user", is_custom_field=False),
    Field("org_id", "Organization", "org", is_custom_field=False),
    Field("label_ids", "Labels", "set", ((1, "Customer"), (2, "Hot lead")), is_custom_field=False),
    Field("add_time", "Person created", "date", is_custom_field=False),
    Field("update_time", "Update time", "date", is_custom_field=False),
    Field("visible_to", "Visible to", "visible_to", is_custom_field=False),
    Field("picture_id", "Profile picture", "picture", is_custom_field=False),
)

DEMO_NAMES = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "gclid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "sc_click_id",
    "campaign_region",
    "ad_group",
    "ad_id",
    "search_query",
    "event_id",
    "event_type",
    "visitor_id",
    "session_id",
    "pixel_id",
    "project_id",
    "page_url",
    "page_title",
    "referrer_url",
    "country",
    "region",
    "city",
    "location",
    "user_agent",
    "screen_resolution",
    "device_type",
    "operating_system",
    "last_visited_on",
    "visited_pages",
    "session_duration",
    "ip_address",
    "first_touch_source",
    "first_touch_medium",
    "first_touch_campaign",
    "last_touch_source",
    "last_touch_medium",
    "last_touch_campaign",
    "gbraid",
    "wbraid",
    "gad_source",
    "gad_campaignid",
    "dclid",
    "rdt_cid",
    "epik",
    "qclid",
    "yclid",
    "irclid",
    "oppref",
    "gclsrc",
    "utm_id",
    "utm_source_platform",
    "utm_creative_format",
    "utm_marketing_tactic",
    "matchtype",
    "network",
    "placement",
    "hsa_acc",
    "hsa_cam",
    "hsa_src",
    "hsa_net",
    "hsa_mt",
    "hsa_tgt",
    "hsa_ver",
    "hsa_la",
    "hsa_ol",
    "fbc",
    "fbp",
)

_TYPES = {
    "visited_pages": "text",
    "page_url": "text",
    "referrer_url": "text",
    "user_agent": "text",
    "event_id": "double",
    "device_type": "enum",
    "location": "address",
}

_OPTIONS = {"device_type": ((1, "desktop"), (2, "mobile"), (3, "tablet"))}

_CLICK_IDS = {
    "gclid": "Google click ID",
    "fbclid": "Facebook click ID",
    "msclkid": "Microsoft click ID",
    "ttclid": "TikTok click ID",
    "twclid": "X click ID",
    "li_fat_id": "LinkedIn click ID",
    "sc_click_id": "Snapchat click ID",
}

_ACRONYMS = {"utm", "id", "url", "ip"}


def field_code(name: str) -> str:
    """The key of a demo field: 40 hexadecimal digits, as an account's own fields have."""
    return hashlib.sha1(f"ppp-pixel demo field {name}".encode(), usedforsecurity=False).hexdigest()


def _human_name(name: str) -> str:
    parts = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
    label = " ".join(parts)
    return _CLICK_IDS.get(name, label[0].upper() + label[1:])


def _demo_field(name: str) -> Field:
    field_type = _TYPES.get(name, "varchar")
    return Field(field_code(name), _human_name(name), field_type, _OPTIONS.get(name, ()))


def demo_field_map() -> dict[str, str]:
    """The field map of the demo account: our names and its keys."""
    return {name: field_code(name) for name in DEMO_NAMES}


DEMO_FIELDS = tuple(map(_demo_field, DEMO_NAMES))
