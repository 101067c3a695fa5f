"""Messages to the operators: Slack-compatible JSON to a webhook, if one is configured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from services.core.logs import Log
from services.core.ports import HttpClient, NetworkError

TIMEOUT_SECONDS = 5
MIN_ERROR_STATUS = 300


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One message about a problem; `state` is new, still there or over, `since` in UTC.

    `call` says whom to call: it is sent, and neither logged nor remembered.
    """

    problem: str
    severity: str
    state: str
    since: str
    text: str
    call: str = field(default="", repr=False)

    def fields(self) -> dict[str, str]:
        """What may be logged and remembered."""
        return {name: value for name, value in asdict(self).items() if name != "call"}


@dataclass(frozen=True, slots=True)
class AlertWebhook:
    """Sends alerts to a webhook and to the log; without a webhook to the log only."""

    http: HttpClient
    webhook_url: str | None = field(repr=False)

    @property
    def is_set(self) -> bool:
        """Whether messages go anywhere but to the log."""
        return bool(self.webhook_url)

    async def send(self, log: Log, message: AlertMessage) -> bool:
        """Logs a message and sends it; returns False where it did not arrive."""
        fields = message.fields()
        write = log.info if message.state == "over" else log.error
        write("alert", **fields)
        if not self.webhook_url:
            # Nothing more can be done: the next run does not repeat it.
            return True
        headers = {"content-type": "application/json"}
        text = " ".join(filter(None, (f"PPP Pixel: {message.text}", message.call)))
        body = json.dumps({**fields, "text": text})
        try:
            answer = await self.http.send("POST", self.webhook_url, headers, body, TIMEOUT_SECONDS)
        except NetworkError as error:
            log.error("alert_not_sent", problem=message.problem, reason=str(error))
            return False
        if answer.status >= MIN_ERROR_STATUS:
            log.error("alert_not_sent", problem=message.problem, reason=f"answered {answer.status}")
        return answer.status < MIN_ERROR_STATUS
