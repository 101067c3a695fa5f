"""Prints how many bots and devices of Matomo's fixtures are taken for bots.

The fixtures are no part of this repository; docs/reliability.md says how independent they are of
the rules. They are in the folder
`Tests/fixtures` of matomo-org/device-detector:

    PYTHONPATH=src .venv/bin/python tools/bot_figures.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from services.access.bots import is_bot

DEVICES = (
    *("camera", "car_browser", "console", "desktop", "feature_phone", "peripheral", "phablet"),
    *("portable_media_player", "smart_display", "smart_speaker", "smartphone", "tablet", "tv"),
    "wearable",
)


def read_user_agents(files: Sequence[Path]) -> list[str]:
    """The user agents of some files of fixtures."""
    return [
        case["user_agent"]
        for file in files
        for case in yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        if isinstance(case.get("user_agent"), str)
    ]


def figures(folder: Path) -> list[str]:
    """A line for the bots and one for the devices."""
    devices = [path for path in folder.glob("*.yml") if path.stem.rsplit("-", 1)[0] in DEVICES]
    lists = {"bots": [folder / "bots.yml"], "devices": sorted(devices)}
    lines = []
    for name, files in lists.items():
        user_agents = read_user_agents(files)
        recognised = sum(map(is_bot, user_agents))
        share = 100 * recognised / len(user_agents)
        lines.append(
            f"{name}: {recognised} of {len(user_agents)} are taken for bots ({share:.3f} %)"
        )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Prints the figures of a folder."""
    if len(arguments) != 1 or not Path(arguments[0], "bots.yml").is_file():
        print("error: name the folder Tests/fixtures of matomo-org/device-detector")
        return 2
    print("\n".join(figures(Path(arguments[0]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
