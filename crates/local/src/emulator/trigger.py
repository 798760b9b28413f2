"""Cognito's token trigger, on the emulator: hands the event to the function in the platform's own process."""
import json
import os
import urllib.error
import urllib.request


def handler(event, context):
    ask = urllib.request.Request(
        os.environ["TRIGGER"], json.dumps(event).encode(), {"content-type": "application/json"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(ask, timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise Exception(refused.read().decode()) from None
