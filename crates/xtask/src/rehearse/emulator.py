"""ministack with what its judgement of policies lacks; ends when its standard input closes.

It runs with AUTH=true: every call is checked for its signature and against the policies of the caller's role, as the
templates give them. Added here, because our policies stand on them and ministack does not know them:

- policy variables (`${aws:PrincipalTag/tenant}`);
- the condition key `dynamodb:LeadingKeys`, in a transaction for each of its items by itself;
- the condition keys `kms:EncryptionContext:*`;
- the identity that a letter is sent from, and the condition key `ses:FromAddress`.

Loopback counts as TLS, since the buckets and queues refuse everything else. Each refusal is told on standard output in
a line that begins with REFUSED.
"""
import dataclasses
import json
import os
import re
import signal
import sys
import tempfile
import threading
from email.utils import parseaddr

# Functions inherit this environment.
os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
tempfile.tempdir = os.environ["TMPDIR"]
os.makedirs(tempfile.tempdir, exist_ok=True)


def stop_with_the_rehearsal():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    # Whatever does not end by that: this process leads the group in which the functions run.
    threading.Timer(5, lambda: os.killpg(0, signal.SIGKILL)).start()


threading.Thread(target=stop_with_the_rehearsal, daemon=True).start()

from ministack import app  # noqa: E402
from ministack.core import iam_actions, iam_evaluator  # noqa: E402


# --- condition keys
def object_of(body):
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def partition(attributes):
    """The partition key among a key's or an item's attributes."""
    return ((attributes or {}).get("pk") or {}).get("S")


def queried(data):
    """The partition key that a query asks for, in the table or in an index."""
    names, values = data.get("ExpressionAttributeNames") or {}, data.get("ExpressionAttributeValues") or {}
    found = re.search(r"([#\w]+)\s*=\s*(:\w+)", data.get("KeyConditionExpression") or "")
    if not found or not re.fullmatch(r"(gsi\d)?pk", names.get(found[1], found[1])):
        return None
    return values[found[2]]["S"]


def leading_keys(data):
    keys = [partition(data.get("Key")), partition(data.get("Item")), queried(data)]
    for batch in (data.get("RequestItems") or {}).values():
        if isinstance(batch, dict):
            keys += [partition(key) for key in batch.get("Keys") or []]
            continue
        for write in batch:
            keys.append(partition((write.get("PutRequest") or {}).get("Item")))
            keys.append(partition((write.get("DeleteRequest") or {}).get("Key")))
    return [key for key in keys if key]


known_context = iam_actions.request_tag_context


def context(service, action, body, params):
    keys, data = known_context(service, action, body, params), object_of(body)
    if service == "dynamodb" and leading_keys(data):
        keys["dynamodb:LeadingKeys"] = leading_keys(data)
    if service == "kms":
        for name, value in (data.get("EncryptionContext") or {}).items():
            keys[f"kms:EncryptionContext:{name}"] = value
    return keys


class Arn(str):
    """A resource with the condition keys that belong to it alone."""

    keys = {}


def arn_with(text, keys):
    arn = Arn(text)
    arn.keys = keys
    return arn


def transaction(action, body, region, account):
    if action not in ("dynamodb:TransactWriteItems", "dynamodb:TransactGetItems"):
        return []
    checks = []
    for item in object_of(body).get("TransactItems") or []:
        for member, single in iam_actions._DYNAMODB_TRANSACT_ITEM_ACTIONS.items():
            if member in item:
                table = iam_actions._dynamodb_table_arn(item[member]["TableName"], region, account)
                key = partition(item[member].get("Key") or item[member].get("Item"))
                checks.append((single, arn_with(table, {"dynamodb:LeadingKeys": [key]})))
    return checks


known_resource = iam_actions.extract_resource_arn


def resource(service, method, path, headers, body, params, region, account):
    """A letter goes out from an identity; the emulator names none."""
    sender = object_of(body).get("FromEmailAddress")
    if service == "ses" and path.rstrip("/").endswith("/outbound-emails") and sender:
        sender = parseaddr(sender)[1]  # the key is the address, without the name that is shown
        return arn_with(f"arn:aws:ses:{region}:{account}:identity/{sender}", {"ses:FromAddress": sender})
    return known_resource(service, method, path, headers, body, params, region, account)


iam_actions.extract_resource_arn = resource

iam_actions.request_tag_context = context
iam_actions.dynamodb_transaction_checks = transaction


# --- policy variables
def filled(value, keys):
    if isinstance(value, str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(keys.get(found[1].lower(), found[0])), value)
    if isinstance(value, list):
        return [filled(one, keys) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, keys) for name, one in value.items()}
    return value


known_principal = iam_evaluator.resolve_principal


def principal(*given, **more):
    found = known_principal(*given, **more)
    if not getattr(found, "policies", None):
        return found
    policies = [
        [
            dataclasses.replace(
                statement,
                resources=filled(statement.resources, found.keys),
                not_resources=filled(statement.not_resources, found.keys),
                conditions=filled(statement.conditions, found.keys),
            )
            for statement in statements
        ]
        for statements in found.policies
    ]
    return dataclasses.replace(found, policies=policies)


iam_evaluator.resolve_principal = principal


# --- judgement
known_judgement = iam_evaluator.enforce


def judged(access_key, action, service, region, resource_arn="*", service_context=None):
    if isinstance(resource_arn, Arn):
        service_context = {**(service_context or {}), **resource_arn.keys}
    refusal = known_judgement(
        access_key, action, service, region, resource_arn=resource_arn, service_context=service_context
    )
    if refusal:
        who = getattr(refusal, "principal_arn", "") or getattr(refusal, "code", "")
        keys = {k: v for k, v in (service_context or {}).items() if "Key" in k or "Context" in k}
        print("REFUSED", who.rpartition(":")[2], action, resource_arn, json.dumps(keys), flush=True)
    return refusal


iam_evaluator.enforce = judged
pin_origin = app.pin_request_origin
app.pin_request_origin = lambda address, tls: pin_origin(address, True)

sys.argv = ["ministack"]
try:
    app.main()
finally:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGKILL)
