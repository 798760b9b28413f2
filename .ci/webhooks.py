"""Verifies the samples of `xtask webhooks` as a receiver would, with the specification's own library."""

import json
import sys
import time

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

samples = json.load(sys.stdin)
receiver = Webhook(samples["secret"])


def accepted(by, message, **changed):
    headers = {**message["headers"], **changed.get("headers", {})}
    try:
        by.verify(changed.get("body", message["body"]), headers)
        return True
    except WebhookVerificationError:
        return False


fresh, rotating, old = (samples[name] for name in ("fresh", "rotating", "old"))
now = str(int(time.time()))
later = str(int(time.time()) + 60)
older_receiver, stranger = Webhook(samples["older_secret"]), Webhook(samples["wrong_secret"])

for says, holds in [
    ("a fresh message is accepted", accepted(receiver, fresh)),
    ("while two secrets live, both receivers accept", accepted(receiver, rotating) and accepted(older_receiver, rotating)),
    ("a wrong secret is refused", not accepted(stranger, fresh) and not accepted(older_receiver, fresh)),
    ("a changed byte is refused", not accepted(receiver, fresh, body=fresh["body"].replace("issued", "issueD"))),
    ("a message of five minutes ago is refused", not accepted(receiver, old)),
    ("a replay with a new time is refused", not accepted(receiver, old, headers={"webhook-timestamp": now})
     and not accepted(receiver, fresh, headers={"webhook-timestamp": later})),
    ("a replay under another id is refused", not accepted(receiver, fresh, headers={"webhook-id": "msg_another"})),
]:
    print(f"{'ok' if holds else 'FAILED'}: {says}")
    if not holds:
        sys.exit(1)
