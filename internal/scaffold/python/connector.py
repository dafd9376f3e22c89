#!/usr/bin/env python3
"""Reads from a door controller who may open which door, for Gatehouse.

Above the line "The protocol" is what is yours to change; below it is what speaks with
Gatehouse. Everything is in this file, and it needs the standard library alone.
"""

import json
import sys
import urllib.error
import urllib.request
from urllib.parse import quote

TEXT = {"type": "string"}
MANIFEST = {
    "integration_id": "doors",
    "connector_id": "doors-discovery",
    "name": "Door controller",
    "provider_system": "doors",
    "connector_type": "discovery",
    "version": "0.1.0",
    "contract_version": "1",
    "status": "beta",
    # What a connection is made with, as JSON Schema. Secrets are writeOnly.
    "configuration": {
        "type": "object",
        "additionalProperties": False,
        "required": ["url", "token"],
        "properties": {
            "url": {**TEXT, "title": "Address", "description": "Where the controller answers, such as https://doors.example.com."},
            "token": {**TEXT, "title": "Token", "description": "API token of the controller.", "writeOnly": True},
        },
    },
    "configuration_version": "1",
    # What part of the target is read, as JSON Schema: always all of it.
    "scope": {"type": "object", "additionalProperties": False},
    "auth_types": [{"id": "token", "name": "API token"}],
    "operations": ["connection.test", "discovery.run"],
    "streams": [
        {
            "name": "doors",
            "description": "Doors",
            "entities": ["Resource"],
            "permissions": [{"name": "doors:read", "why": "lists the doors"}],
        },
        {
            "name": "badges",
            "description": "People, their badges, and the doors that these open",
            "entities": ["Principal", "Account", "Entitlement"],
            "relationships": ["principal_represents_account", "account_assigned_entitlement", "entitlement_grants_resource"],
            "permissions": [{"name": "badges:read", "why": "lists the badges and the doors of each"}],
            "depends_on": ["doors"],
        },
    ],
    "limits_blind_spots": ["Mechanical keys are not seen.", "Doors that an alarm opens are not seen."],
    "supports_test": True,
    # The controller allows 10 calls a second for each site.
    "throttle_scopes": [
        {"name": "calls", "description": "All calls", "key": ["site"], "limit": {"calls": 8, "per_seconds": 1, "burst": 2}}
    ],
}


class Session:
    """One run's conversation with one controller."""

    def __init__(self, host, configuration, scope):
        self.provider = Provider(host, configuration["url"], configuration["token"])

    def identify(self):
        """Say which organisation the token reaches, and as whom."""
        site = self.provider.site()
        return {"target": {"id": site["id"], "name": site["name"], "type": "site"}, "acts_as": site["client"]}

    def check(self):
        """Try each permission, and say what is missing and what to do about it."""
        result = {**self.identify(), "sufficient": True, "streams": [], "remediation": []}
        for stream, permission in (("doors", "doors:read"), ("badges", "badges:read")):
            outlook = {"stream": stream, "coverage": "complete"}
            try:
                self.provider.get(f"/{stream}?limit=1", permission)
            except Failure as failure:
                if failure.category != "permission_denied":
                    raise
                outlook.update(coverage="partial", missing=[permission])
                result["sufficient"] = False
                result["remediation"].append({
                    "category": "permissions",
                    "message": f"The token lacks {permission}",
                    "action": "Give the token the permission at the controller.",
                })
            result["streams"].append(outlook)
        return result

    def plan(self):
        """List what is read. It is complete: nothing had to be listed to know it."""
        return {"partitions": [{"stream": "doors"}, {"stream": "badges"}], "complete": True}

    def read(self, partition, cursor):
        """Yield the pages of a partition from the cursor on. The controller's own marker
        is the cursor: it means the same to every process."""
        stream = partition["stream"]
        while True:
            found = self.provider.get(f"/{stream}?limit=100&after={quote(cursor)}", f"{stream}:read")
            page = door_page(found) if stream == "doors" else badge_page(found)
            cursor = found["next"]
            if cursor:
                page["next"] = cursor
            yield page
            if not cursor:
                return


def door_page(found):
    return {"entities": [{"kind": "Resource", "id": d["id"], "name": d["name"], "type": "door"} for d in found["doors"]]}


def badge_page(found):
    entities, relationships = [], []
    for badge in found["badges"]:
        number = badge["number"]
        person = {"kind": "Principal", "id": "holder/" + number}
        account = {"kind": "Account", "id": number}
        access = {"kind": "Entitlement", "id": "badge/" + number}
        entities += [
            # Whoever runs the controller types the address: it is not verified.
            {**person, "name": badge["holder"], "type": "holder",
             "identifiers": [{"type": "email", "value": badge["email"], "unverified": True}]},
            {**account, "name": badge["holder"], "type": "badge"},
            {**access, "name": "doors of badge " + number, "type": "badge_access"},
        ]
        relationships += [
            {"kind": "principal_represents_account", "from": person, "to": account},
            {"kind": "account_assigned_entitlement", "from": account, "to": access},
        ]
        for door in badge["doors"]:
            relationships.append({
                "kind": "entitlement_grants_resource", "from": access, "to": {"kind": "Resource", "id": door},
                "terms": {"actions": ["open"]},
            })
    return {"entities": entities, "relationships": relationships}


class Provider:
    """Calls the controller, and turns what fails into the contract's terms, without the
    provider's own text, which could repeat a secret."""

    def __init__(self, host, url, token):
        self.host, self.url, self.token, self.here = host, url.rstrip("/"), token, None

    def site(self):
        # Whose budget this call counts for is not known yet.
        if self.here is None:
            self.here = self.call("/site", None)
        return self.here

    def get(self, path, permission):
        uses = [{"scope": "calls", "key": [self.site()["id"]]}]
        with self.host.leave(uses):
            return self.call(path, permission, uses)

    def call(self, path, permission, uses=None):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer " + self.token})
        try:
            with self.host.http.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 401:
                raise Failure("credential_invalid", "the controller does not accept the token") from None
            if error.code == 403:
                raise Failure("permission_denied", "the controller refuses the token", permission=permission, on="the controller") from None
            if error.code == 429:
                wait = float(error.headers.get("Retry-After") or 0)
                if uses:
                    self.host.throttled(uses, wait)
                raise Failure("throttled", "the controller asks to slow down", retry_after_seconds=wait) from None
            raise Failure("provider_unavailable", f"the controller answered {error.code}") from None
        except (OSError, ValueError) as error:
            raise Failure("network_unreachable", f"the controller does not answer as it should ({type(error).__name__})") from None


# ---------------------------------------------------------------------------
# The protocol: JSON lines on standard input and output, version 1. It is described at
# connector/wire/doc.go of Gatehouse.


class Failure(Exception):
    """An error in the contract's terms."""

    def __init__(self, category, message, **more):
        super().__init__(message)
        self.category = category
        self.body = {"category": category, "message": message, **{k: v for k, v in more.items() if v}}


class Cancelled(Exception):
    """The host has ended the call."""


class Host:
    """What is on the other side of standard input and output."""

    def __init__(self):
        self.lines, self.out = sys.stdin.buffer, sys.stdout.buffer
        self.call, self.takes, self.http = 0, 0, None

    def send(self, **message):
        self.out.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self.out.flush()

    def receive(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def answer(self):
        """Wait for the answer to something that was sent during a call."""
        while True:
            message = self.receive()
            if message is None:
                raise SystemExit
            if message["type"] != "cancel":
                return message
            if message["id"] == self.call:
                raise Cancelled

    def log(self, text, level="info", **attributes):
        self.send(type="log", level=level, text=text, attributes=attributes)

    def leave(self, uses):
        """Wait for leave to make a call; a context that gives it back."""
        return Leave(self, uses)

    def throttled(self, uses, seconds):
        """Tell that the provider refused a call because of its rate."""
        self.send(type="throttled", uses=uses, retry_after_seconds=seconds)

    def connect(self, proxy):
        """Have all calls go through the proxy, the only way to a network."""
        handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
        self.http = urllib.request.build_opener(handler)
        # urllib leaves proxies out for names that it takes for local ones.
        urllib.request.proxy_bypass = lambda _host: False

    def serve(self):
        session = None
        while (message := self.receive()) is not None:
            kind = message["type"]
            if kind == "hello":
                self.send(type="hello", protocol=1, contract="1", capabilities=["identify"])
                continue
            if kind == "cancel":
                continue  # of a call that has been answered
            self.call = message["id"]
            try:
                if kind == "describe":
                    result = MANIFEST
                elif kind == "open":
                    self.connect(message.get("proxy"))
                    session = Session(self, message["configuration"], message.get("scope"))
                    result = None
                elif kind in ("check", "identify", "plan"):
                    result = getattr(session, kind)()
                elif kind == "read":
                    result = None
                    for page in session.read(message["partition"], message.get("cursor", "")):
                        self.send(type="page", id=self.call, page=page)
                        self.answer()
                else:
                    raise Failure("contract_violation", f"there is no call {kind}")
                self.send(type="result", id=self.call, **({} if result is None else {"result": result}))
            except Cancelled:
                self.send(type="cancelled", id=self.call)
            except Failure as failure:
                self.send(type="error", id=self.call, error=failure.body)


class Leave:
    """Leave to make one call."""

    def __init__(self, host, uses):
        host.takes += 1
        self.host, self.number = host, host.takes
        host.send(type="take", id=host.call, take=self.number, uses=uses)
        answer = host.answer()
        if answer["type"] == "refused":
            error = answer["error"]
            raise Failure(error.pop("category"), error.pop("message"), **error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.host.send(type="release", take=self.number)


if __name__ == "__main__":
    Host().serve()
