"""Messages to the people who run this: Slack-compatible JSON to a webhook, if there is one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from services.core.logs import Log
from services.core.ports import HttpClient, NetworkError

TIMEOUT_SECONDS = 5
FIRST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Message:
    """What is said about a problem; `state` is new, still there or over, `since` in UTC."""

    problem: str
    severity: str
    state: str
    since: str
    text: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """Sends alerts. Without a webhook the log line is the alert."""

    http: HttpClient
    webhook_url: str | None = field(repr=False)

    async def send(self, log: Log, message: Message) -> bool:
        """Says what is wrong and what to do, or that it is over; False if that did not arrive."""
        said = asdict(message)
        write = log.info if message.state == "over" else log.error
        write("alert", **said)
        if not self.webhook_url:
            return True
        headers = {"content-type": "application/json"}
        body = json.dumps({**said, "text": f"PPP Pixel: {message.text}"})
        try:
            answer = await self.http.send("POST", self.webhook_url, headers, body, TIMEOUT_SECONDS)
        except NetworkError as error:
            log.error("alert_not_sent", problem=message.problem, reason=str(error))
            return False
        if answer.status >= FIRST_ERROR:
            log.error("alert_not_sent", problem=message.problem, reason=f"answered {answer.status}")
        return answer.status < FIRST_ERROR
