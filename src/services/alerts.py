"""Messages to the people who run this: Slack-compatible JSON to a webhook, if there is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from services.logs import Log
from services.ports import HttpClient, NetworkError

TIMEOUT_SECONDS = 5
FIRST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Alerts:
    """Sends alerts. Without a webhook the log line is the alert."""

    http: HttpClient
    webhook_url: str | None = field(repr=False)

    async def send(self, log: Log, problem: str, text: str) -> None:
        """Says what is wrong and what to do; never raises."""
        log.error("alert", problem=problem, text=text)
        if not self.webhook_url:
            return
        headers = {"content-type": "application/json"}
        body = json.dumps({"text": f"PPP Pixel: {text}", "problem": problem})
        try:
            answer = await self.http.send("POST", self.webhook_url, headers, body, TIMEOUT_SECONDS)
        except NetworkError as error:
            log.error("alert_not_sent", problem=problem, reason=str(error))
            return
        if answer.status >= FIRST_ERROR:
            log.error("alert_not_sent", problem=problem, reason=f"answered {answer.status}")
