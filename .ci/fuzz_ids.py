"""Ids of records that are there, for schemathesis: whoever guesses an id hears 404 and comes no further.

Before anything is asked, the person of this run (FUZZ_WHO) reads every list that the document has once, and makes what
`fuzz_begin.json` has for them; `$pat` is the first patient known there, and what has no body is read. What requests make on
the way is added, and handed to the organisation's next person (FUZZ_KNOWN). Three of four ids of a request are then
exchanged for one of the same kind that is known, by a choice that depends on the request alone, so that the same request
is sent the same way when it is looked at again."""

import atexit
import json
import os
import random
import re
import urllib.error
import urllib.request
import zlib

import schemathesis

ID = re.compile(r"^([a-z]{3})_[0-9A-HJKMNP-TV-Z]{26}$")
# What is another in every run: the end of an id, the number of a request.
CHANCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST = 12  # of a kind, the first that were seen
OFTEN = 0.75

# Ids by their kind; values of `{id}`, or of `{id}` and `{part}`, by the path before them.
KNOWN = {"kinds": {}, "places": {}, "parts": {}}
PATHS = {}


def keep(pool, name, value):
    known = KNOWN[pool].setdefault(name, [])
    if value not in known and len(known) < MOST:
        known.append(value)


def learn(template, parameters, body):
    """The ids of an answer; those of its records belong to the path that the records lie at."""
    rows = body["data"] if isinstance(body, dict) and isinstance(body.get("data"), list) else [body]
    for row in rows:
        record = row.get("id") if isinstance(row, dict) else None
        if isinstance(record, str) and f"{template}/{{part}}" in PATHS and "id" in parameters:
            keep("parts", template, [parameters["id"], record])
        elif isinstance(record, str) and f"{template}/{{id}}" in PATHS:
            keep("places", template, record)
    left = [body]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(reversed(one.values()))
        elif isinstance(one, list):
            left.extend(reversed(one))
        elif isinstance(one, str) and (kind := ID.match(one)):
            keep("kinds", kind[1], one)


def call(path, body=None):
    token = os.environ.get("FUZZ_TOKEN")
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["FUZZ_API"] + path, sent, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def lists():
    for path, methods in PATHS.items():
        if "get" in methods and "{" not in path and f"{path}/{{id}}" in PATHS:
            try:
                learn(path, {}, call(path))
            except (urllib.error.HTTPError, ValueError):
                pass  # not theirs, or not without a filter


def make(path, body):
    def known(text):
        return re.sub(r"\$([a-z]{3})\b", lambda kind: KNOWN["kinds"][kind[1]][0], text)

    place, record = known(path), json.loads(known(json.dumps(body)))
    try:
        made = call(place, record)
    except urllib.error.HTTPError as refused:
        raise RuntimeError(f"{place} answers {refused.code}: {refused.read().decode()}") from refused
    learn(path.split("?")[0].replace("$pat", "{id}"), {"id": place.split("/")[3]} if "$pat" in path else {}, made)


def begin():
    kept = os.environ.get("FUZZ_KNOWN")
    PATHS.update(call("/v1/openapi.json")["paths"])
    if not kept:
        return
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            KNOWN.update(json.load(file))
    learn("/v1/me", {}, call("/v1/me"))
    lists()
    with open(os.path.join(os.path.dirname(__file__), "fuzz_begin.json"), encoding="utf-8") as file:
        for path, body in json.load(file).get(os.environ["FUZZ_WHO"], []):
            make(path, body)
    atexit.register(end, kept)


def end(kept):
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(KNOWN, file)


begin()


def exchanged(value, chance):
    if isinstance(value, dict):
        return {name: exchanged(inner, chance) for name, inner in value.items()}
    if isinstance(value, list):
        return [exchanged(inner, chance) for inner in value]
    kind = ID.match(value) if isinstance(value, str) else None
    known = KNOWN["kinds"].get(kind[1]) if kind else None
    return chance.choice(known) if known and chance.random() < OFTEN else value


def filled(template, parameters, chance):
    """A path to something that is there."""
    parameters = dict(parameters)
    parts = KNOWN["parts"].get(template.split("/{part}")[0]) if "part" in parameters else None
    places = KNOWN["places"].get(template.split("/{id}")[0])
    if parts and chance.random() < OFTEN:
        parameters["id"], parameters["part"] = chance.choice(parts)
    elif "id" in parameters and places and chance.random() < OFTEN:
        parameters["id"] = chance.choice(places)
    if "version" in parameters and chance.random() < OFTEN:
        parameters["version"] = "1"
    return parameters


def is_ours(case):
    """Whether the path may be filled: not where it is to be refused, nor in a session, which follows its answers."""
    meta = case.meta
    if meta is None or meta.phase.name.value == "stateful":
        return False
    wrong = [location.value for location, part in meta.components.items() if part.mode.is_negative]
    return "path" not in wrong and (bool(wrong) or meta.generation.mode.is_positive)


@schemathesis.hook
def before_call(context, case, kwargs):
    asked = [case.method, case.path, case.path_parameters, str(case.query), str(case.body)]
    chance = random.Random(zlib.crc32(CHANCE.sub("", json.dumps(asked, default=str)).encode()))
    if case.path_parameters and is_ours(case):
        parameters = filled(case.path, case.path_parameters, chance)
        if parameters != case.path_parameters:
            case.path_parameters = parameters
    if isinstance(case.body, (dict, list)):
        body = exchanged(case.body, chance)
        if body != case.body:
            case.body = body


@schemathesis.hook
def after_call(context, case, response):
    kind = (response.headers.get("content-type") or [""])[0]
    if response.status_code in (200, 201) and "json" in kind:
        try:
            learn(case.path, case.path_parameters or {}, json.loads(response.content))
        except ValueError:
            pass
