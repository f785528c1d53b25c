#!/usr/bin/env python3
"""Walks the whole HTTP surface as a client would, knowing only the reference pages.

    walk.py BASE_URL TOKEN_FILE

Prints a line for each station. Exits 0 when everything held, and 1 at the first thing that did not. Statuses and
refusal codes have to be in openapi.json. What the pages do not say is marked `Unwritten:`.
"""

import hashlib
import http.client
import io
import json
import re
import sys
import tarfile
import time
import urllib.parse
import uuid
from collections import Counter, namedtuple
from decimal import Decimal

TIMEOUT_S = 10
PUBLISH = {"method": "POST", "url": "https://example.org/reports", "json": {"lines": 42}}
PLAN = {"plan": {"version": 1, "steps": [{"id": "publish", "tool": "http", "with": PUBLISH}]}}
PASSPHRASE = "correct horse battery staple"
JSON = {"accept": "application/json", "content-type": "application/json"}
EXPERIMENT = {"title": "Short", "hypothesis": "Half is enough", "budget_cap_units": 10, "risk_tier": "low"}
PRINCIPALS = uuid.UUID("3f2c5d1e-7a40-5b6f-9c1d-a905a6e27001")
PAYLOAD = ("data", "display", "model_context", "policy_context")
NOT_IN_HEADER = {"global_seq", "payload_salt", "event_hash", "idempotency_key", *PAYLOAD}
STAGES = ("1_inbox", "2_pending_approval", "3_execute_workspace", "4_review_evidence", "5_promoted", "6_demoted")

Answer = namedtuple("Answer", "status headers body")
held = Counter()


class Failed(Exception):
    """Something the reference promises did not hold."""


def check(condition, message):
    if not condition:
        raise Failed(message)
    held["checks"] += 1


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r:.400}, found {found!r:.400}")


def has(record, **members):
    """`record` has these members with these values."""
    equal({name: record.get(name) for name in members}, members, "members")


def canonical(value):
    """RFC 8785 of what JSON can hold."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if not isinstance(value, float):
        return json.dumps(value, ensure_ascii=False)
    if value.is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f") if abs(value) >= 1e-6 else repr(value).replace("e-0", "e-")


def sha256(data):
    return "sha256:" + hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def find_operation(document, method, path):
    """The operation of a request and its name, or None; a path without parameters wins."""
    for template in sorted(document["paths"], key=lambda path: path.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation = document["paths"][template].get("get" if method == "HEAD" else method.lower())
            return operation and (operation, f"{method} {template}")
    return None


class Api:
    """One connection with one credential. Each answer has to be one that openapi.json foresees."""

    document = None
    walked = set()

    def __init__(self, base, **credential):
        self.address = urllib.parse.urlsplit(base)
        self.credential = {name.replace("_", "-"): value for name, value in credential.items()}
        self.connection = self.connect()

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=TIMEOUT_S)

    def ask(self, method, path, body=None, expect=200, code=None, headers=None, **query):
        """Sends one request; `expect` and `code` are what has to come back. A dict goes as JSON."""
        headers = {**self.credential, **(headers or {})}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        target = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        self.connection.request(method, target, body, headers)
        response = self.connection.getresponse()
        raw = response.read()
        is_json = raw and re.fullmatch(r"application/(json|.*\+json)", response.headers.get_content_type())
        answer = Answer(response.status, response.headers, json.loads(raw) if is_json else raw)
        place = f"{method} {path}"
        check(answer.status == expect, f"{place}: expected {expect} {code}, found {answer.status} {answer.body!r:.600}")
        check(answer.headers["x-request-id"] and answer.headers["x-correlation-id"], f"{place}: no request id")
        if code:
            equal(response.headers.get_content_type(), "application/problem+json", f"{place}: content-type")
            has(answer.body, error=code, reason_code=code, status=expect)
        if self.document:
            self.compare(place, answer, code, find_operation(self.document, method, path))
        return answer

    def compare(self, place, answer, code, found):
        if not found:
            check(answer.status in (204, 404, 405), f"{place}: answered, and openapi.json does not know it")
            return
        operation, name = found
        self.walked.add(name)
        described = operation["responses"].get(str(answer.status))
        check(described, f"{place}: openapi.json names no answer {answer.status}")
        check(not code or code in described["description"].split(", "), f"{place}: {code} is not in openapi.json")

    def get(self, path, **options):
        return self.ask("GET", path, **options).body

    def post(self, path, body=None, expect=200, **options):
        return self.ask("POST", path, {} if body is None else body, expect, **options).body

    def make(self, path, body=None, **options):
        """POST that has to answer 201, with the `global_seq` of its last event."""
        answer = self.ask("POST", path, body or {}, 201, **options)
        check(int(answer.headers["x-commit-seq"]) > 0, f"{path}: a change without x-commit-seq")
        return answer.body

    def events(self, **query):
        return self.get("/v1/events", **query)["events"]

    def refuse(self, status, code, path, body=None, method="POST", **options):
        return self.ask(method, path, body, status, code, **options)


def pages(api, path, member, limit, **query):
    """Everything in a list, page by page; the Link header has to lead where `next_cursor` does."""
    items, cursor = [], {}
    while cursor is not None:
        answer = api.ask("GET", path, limit=limit, **query, **cursor)
        check(len(answer.body[member]) <= limit, f"{path}: more than {limit} on a page")
        items += answer.body[member]
        following, link = answer.body["next_cursor"], answer.headers.get("link", "")
        equal(re.findall(r'cursor=(\w+)>; rel="next"', link), [following] if following else [], f"{path}: Link")
        cursor = {"cursor": following} if following else None
    return items


def ids(records, member):
    return [record[member] for record in records]


def wait_for(what, probe):
    """What `probe` finds, as soon as it finds something."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not there after {TIMEOUT_S} s")
    return found


def read_metrics(text):
    """The samples of the text format; no line may be anything else than it foresees."""
    form = re.compile(r'# (?:HELP|TYPE) .+|([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)')
    lines = [form.fullmatch(line) for line in text.splitlines()]
    check(all(lines), "metrics: a line that is neither HELP, TYPE nor a sample")
    return {line[1]: float(line[2]) for line in lines if line[1]}


def staged(stages):
    return [(stage, item["entity_id"]) for stage in STAGES for item in stages[stage]]


def verify_event(event, heads):
    """`heads` has the last number and hash of each stream."""
    stream = event["stream_type"], event["stream_id"]
    number, head = heads.get(stream, (0, None))
    # What was erased has no payload any more; its digest stays, and is under the hash.
    if event["payload_salt"] is not None:
        salted = bytes.fromhex(event["payload_salt"]) + canonical({name: event[name] for name in PAYLOAD}).encode()
        has(event, payload_digest=sha256(salted))
    key = event["idempotency_key"]
    header = {name: value for name, value in event.items() if name not in NOT_IN_HEADER}
    header["idempotency_key_digest"] = sha256(key) if key else None
    actor = uuid.uuid5(PRINCIPALS, f"{event['actor_type']}:{event['actor_id']}")
    has(event, stream_seq=number + 1, prev_event_hash=head,
        event_hash=sha256(canonical(header)), actor_principal_id=str(actor), hash_version=2)
    heads[stream] = event["stream_seq"], event["event_hash"]


class Walk:
    """Each public method is a station, walked in this order; they keep what later ones need."""

    def __init__(self, base, token):
        self._base, self._tag = base, uuid.uuid4().hex[:12]
        self._anyone, self._api = Api(base), Api(base, authorization=f"Bearer {token}")

    def probes(self):
        """Health probes, version, metrics and openapi.json"""
        Api.document = self._anyone.get("/openapi.json")
        has(self._anyone.get("/openapi.json"), openapi="3.1.1", info=Api.document["info"])
        has(self._anyone.get("/version"), version=Api.document["info"]["version"])
        has(self._anyone.get("/health"), ok=True, kill_switch=False, draining=False)
        for probe in ("/livez", "/readyz"):
            equal(self._anyone.get(probe).strip(), b"ok", probe)
            equal(self._anyone.get(probe, verbose="1"), self._anyone.get(probe, headers=JSON), f"{probe} as JSON")
        check(self._anyone.get("/"), "nothing is at the address")
        answer = self._anyone.ask("GET", "/metrics")
        check("version=0.0.4" in answer.headers["content-type"], "metrics: not version 0.0.4")
        check(any("/livez" in name for name in read_metrics(answer.body.decode())), "metrics: no /livez")

    def rooms(self):
        """A room: made, shown, changed, listed with cursor and Link"""
        self._room = self._api.make("/v1/rooms", {"title": "Walk", "topic": "All of it"})["room_id"]
        path = f"/v1/rooms/{self._room}"
        change = self._api.ask("POST", f"{path}/update", {"title": "Walked", "topic": ""})
        again = self._api.ask("POST", f"{path}/update", {"title": "Walked"})
        check(change.headers["x-commit-seq"] and not again.headers["x-commit-seq"], "an event for no change")
        has(self._api.get(path)["room"], title="Walked", topic=None)
        newer = self._api.make("/v1/rooms", {"title": "Newer"})["room_id"]
        equal(ids(pages(self._api, "/v1/rooms", "rooms", 1), "room_id")[:2], [newer, self._room], "rooms, newest first")

    def talk(self):
        """A thread and messages: parent, labels, cursor, before"""
        threads, thread = f"/v1/rooms/{self._room}/threads", {"title": "Talk", "idempotency_key": "talk"}
        made = self._api.make(threads, thread)["thread_id"]
        has(self._api.post(threads, thread), thread_id=made)
        has(self._api.get(f"/v1/threads/{made}")["thread"], room_id=self._room, title="Talk")
        equal(ids(self._api.get(threads)["threads"], "thread_id"), [made], "threads")
        self._messages = f"/v1/threads/{made}/messages"
        say = {"content_md": "Grew 100% in snake_case <b>", "lang": "en", "labels": ["growth", "naming"]}
        self._message = self._api.make(self._messages, say)["message_id"]
        answer = {"content_md": "Not 1000 in snakeXcase", "lang": "en", "parent_message_id": self._message}
        reply = self._api.make(self._messages, answer)["message_id"]
        has(self._api.get(f"/v1/messages/{self._message}")["message"], **say)
        listed = pages(self._api, self._messages, "messages", 1)
        equal(ids(listed, "message_id"), [reply, self._message], "messages, newest first")
        before = ids(self._api.get(self._messages, before=listed[0]["created_at"])["messages"], "message_id")
        check(reply not in before, "before: the message itself is there")

    def search(self):
        """Search: highlighted excerpt, literal % and _, too short"""
        # Unwritten: hits stand in <mark>, the rest of the excerpt is escaped for HTML.
        marks = {"GREW": "<mark>Grew</mark> 100% in snake_case", "100%": "Grew <mark>100%</mark> in snake_case",
                 "e_c": "Grew 100% in snak<mark>e_c</mark>ase"}
        for text, marked in marks.items():
            hits = self._api.get("/v1/search", q=text, room_id=self._room, doc_type="message")["docs"]
            equal(ids(hits, "doc_id"), [self._message], f"hits of {text}")
            has(hits[0], excerpt=f"{marked} &lt;b&gt;")
        self._api.refuse(400, "q_too_short", "/v1/search", method="GET", q="%")

    def _new_run(self, start=True, **body):
        run = self._api.make("/v1/runs", {"room_id": self._room, **body})["run_id"]
        if start:
            self._api.post(f"/v1/runs/{run}/start")
        return run

    def operator_run(self):
        """A run without a plan: steps, tool calls, artifacts, end"""
        self._run = self._new_run(title="By hand", tags=["walk"])
        path, opened = f"/v1/runs/{self._run}", {"kind": "http", "plan_step_id": "publish"}
        self._step = self._api.make(f"{path}/steps", opened)["step_id"]
        has(self._api.post(f"{path}/steps", opened), step_id=self._step)
        calls = f"/v1/steps/{self._step}/toolcalls"
        request = {"tool_name": "shell", "input": {"argv": ["ls"]}, "ordinal": 1}
        allowed = self._api.make(calls, request)
        has(allowed, decision="allow", status="running")
        self._api.post(f"/v1/toolcalls/{allowed['tool_call_id']}/succeed", {"output": {"stdout": "a"}})
        has(self._api.post(calls, request), status="succeeded", output={"stdout": "a"})
        failing = self._api.make(calls, {**request, "ordinal": 2})["tool_call_id"]
        self._api.post(f"/v1/toolcalls/{failing}/fail", {"message": "no such file"})
        self._ask_for_approval(calls)
        made = ids(self._api.get("/v1/toolcalls", run_id=self._run)["tool_calls"], "status")
        equal(made, ["succeeded", "failed"] * 2, "tool calls")
        self._keep_artifacts()
        self._api.post(f"/v1/steps/{self._step}/succeed", {"output": {"lines": 42}})
        for end in ("fail", "skip", "cancel"):
            other = self._api.make(f"{path}/steps", {"kind": "shell"})["step_id"]
            self._api.post(f"/v1/steps/{other}/{end}", {"reason": "walk"})
        steps = ids(self._api.get(f"{path}/steps")["steps"], "status")
        equal(steps, ["succeeded", "failed", "skipped", "cancelled"], "steps")
        self._api.post(f"{path}/complete", {"summary": "Counted", "output": {"lines": 42}})
        has(self._api.get(path)["run"], status="succeeded", summary="Counted", output={"lines": 42})

    def _ask_for_approval(self, calls):
        """A call that waits, is held, let through and uses its approval up; then one that is denied."""
        # Unwritten: `http` is an external.write only in a step with a plan_step_id or a run with a plan.
        request = {"tool_name": "http", "input": PUBLISH, "ordinal": 3}
        waiting = self._api.post(calls, request, 202)
        has(waiting, decision="require_approval", action="external.write", status="waiting")
        approval = f"/v1/approvals/{waiting['approval_id']}"
        self._api.post(f"{approval}/decide", {"decision": "hold", "reason": "let me look"})
        has(self._api.post(calls, request, 202), approval_id=waiting["approval_id"])
        self._api.post(f"{approval}/decide", {"decision": "approve"})
        has(self._api.make(calls, request), tool_call_id=waiting["tool_call_id"], status="running")
        shown = self._api.get(approval)["approval"]
        check(shown["status"] == "approved" and shown["consumed_at"], f"the approval is not used up: {shown}")
        self._api.refuse(409, "approval_already_decided", f"{approval}/decide", {"decision": "deny"})
        self._api.post(f"/v1/toolcalls/{waiting['tool_call_id']}/succeed", {"output": {"status": 201}})
        request = {**request, "ordinal": 4}
        denied = self._api.post(calls, request, 202)["approval_id"]
        self._api.post(f"/v1/approvals/{denied}/decide", {"decision": "deny", "reason": "not today"})
        self._api.refuse(403, "approval_denied", calls, request)

    def _keep_artifacts(self):
        """Inline content, and a blob with Range, ETag and If-None-Match."""
        artifacts = f"/v1/steps/{self._step}/artifacts"
        inline = self._api.make(artifacts, {"kind": "note", "content": {"type": "text", "text": "42 lines"}})
        equal(self._api.get(f"/v1/artifacts/{inline['artifact_id']}/content"), b"42 lines", "inline content")
        numbers = {"tiny": 1e-7, "small": 0.000015, "half": 0.5, "é": "🙂\n\u0001"}
        self._api.make(artifacts, {"kind": "numbers", "content": {"type": "json", "json": numbers}})
        blob = b"0123456789" * 19 + self._tag[:10].encode()
        name = hashlib.sha256(blob).hexdigest()
        self._api.refuse(404, "blob_not_found", artifacts, {"kind": "report", "sha256": name})
        has(self._api.ask("PUT", f"/v1/steps/{self._step}/blobs/{name}", blob, 201).body, sha256=name, size_bytes=200)
        made = f"/v1/artifacts/{self._api.make(artifacts, {'kind': 'report', 'sha256': name})['artifact_id']}"
        has(self._api.get(made)["artifact"], sha256=name, size_bytes=200)
        whole = self._api.ask("GET", f"{made}/content")
        equal(whole.body, blob, "blob")
        part = self._api.ask("GET", f"{made}/content", expect=206, headers={"range": "bytes=5-9"})
        equal((part.body, part.headers["content-range"]), (b"56789", "bytes 5-9/200"), "range")
        self._api.ask("GET", f"{made}/content", expect=304, headers={"if-none-match": whole.headers["etag"]})
        equal(len(pages(self._api, "/v1/artifacts", "artifacts", 2, run_id=self._run)), 3, "artifacts")

    def _register(self, name):
        made = self._api.make("/v1/engines/register", {"actor_id": f"{name}-{self._tag}", "token_label": "first"})
        engine = made["engine"]["engine_id"]
        return engine, Api(self._base, x_engine_id=engine, x_engine_token=made["token"]["engine_token"])

    def _claim(self, run):
        """The engine's claim of the run, and the token that fences what it writes."""
        found = self._engine.post("/v1/runs/claim", {"room_id": self._room})["run"]
        equal(found and found["run_id"], run, "claimed run")
        return {"claim_token": found["claim_token"]}

    def engine_run(self):
        """A run as an engine does it: claim, heartbeat, fence, release, claim again"""
        self._engine_id, self._engine = self._register("engine")
        self._planned = self._api.make("/v1/runs", {"room_id": self._room, "input": PLAN})["run_id"]
        path = f"/v1/runs/{self._planned}"
        mine = self._claim(self._planned)
        has(self._engine.post("/v1/runs/claim", {"room_id": self._room}), claimed=False, run=None)
        has(self._engine.post(f"{path}/lease/heartbeat", mine), ok=True, cancel_requested=False)
        wrong = {"kind": "http", "claim_token": "wrong"}
        for change in ("steps", "lease/heartbeat", "lease/release", "complete"):
            self._engine.refuse(409, "lease_token_mismatch", f"{path}/{change}", wrong)
        step = self._engine.make(f"{path}/steps", {"kind": "shell", "plan_step_id": "publish", **mine})["step_id"]
        calls, request = f"/v1/steps/{step}/toolcalls", {"tool_name": "shell", "input": {"argv": ["ls"]}}
        self._engine.refuse(403, "unknown_action", calls, {"tool_name": "teleport", "ordinal": 2, **mine})
        call = f"/v1/toolcalls/{self._engine.make(calls, {**request, **mine})['tool_call_id']}"
        has(self._engine.post(f"{path}/lease/release", {**mine, "reason": "released"}), released=True)
        self._engine.refuse(409, "lease_token_mismatch", f"{path}/complete", mine)
        mine = self._claim(self._planned)
        self._engine.refuse(409, "outcome_unknown", calls, {**request, **mine})
        has(self._api.get(call)["tool_call"], status="unknown")
        self._api.post(f"{call}/resolve", {"outcome": "succeeded", "output": {"stdout": "a"}})
        has(self._engine.post(calls, {**request, **mine}), status="succeeded", output={"stdout": "a"})
        self._engine.post(f"{path}/complete", {**mine, "summary": "Published"})
        equal(ids(self._api.get(f"{path}/attempts")["attempts"], "attempt_no"), [1, 2], "attempts")

    def cancelled_runs(self):
        """Cancelling: with the holder's word, and at once when parked"""
        runs = [self._api.make("/v1/runs", {"room_id": self._room, "input": PLAN})["run_id"] for _ in range(2)]
        held_run, parked = (f"/v1/runs/{run}" for run in runs)
        mine, other = self._claim(runs[0]), self._claim(runs[1])
        has(self._api.post(f"{held_run}/cancel", {"reason": "no"}), status="running")
        has(self._engine.post(f"/v1/engines/{self._engine_id}/control", {"wait_ms": 0}), cancel=runs[:1])
        self._engine.post(f"{held_run}/cancelled", mine)
        timer = {"kind": "timer", "wake_at": "2099-01-01T00:00:00.000Z"}
        has(self._engine.post(f"{parked}/park", {**other, "waits": [timer]}), status="waiting")
        has(self._api.post(f"{parked}/cancel", {"reason": "no"}), status="cancelled")
        listed = self._api.get("/v1/runs", room_id=self._room, status="cancelled")["runs"]
        equal(ids(listed, "run_id"), runs[::-1], "cancelled runs, newest change first")

    def evidence(self):
        """Evidence: both hashes recomputed"""
        for run in (self._run, self._planned):
            found = self._api.get(f"/v1/runs/{run}/evidence")["evidence"]
            has(self._api.post(f"/v1/runs/{run}/evidence/finalize"), created=False, evidence=found)
            events = found["manifest"]["pointers"]["events"]
            # Unwritten: the root is the hash of the event hashes, one a line, without a last line end.
            root, manifest = sha256("\n".join(ids(events, "event_hash"))), sha256(canonical(found["manifest"]))
            has(found, manifest_hash=manifest, event_hash_root=root, event_count=len(events), run_status="succeeded")
            has(self._api.get(f"/v1/events/{events[-1]['event_id']}")["event"], **events[-1])

    def incidents(self):
        """Incidents: of a failed run, and one's own"""
        self._failed = self._new_run(title="Doomed")
        self._api.post(f"/v1/runs/{self._failed}/fail", {"message": "broken", "error": {"code": "walk"}})
        opened = wait_for("incident", lambda: self._api.get("/v1/incidents", run_id=self._failed)["incidents"])[0]
        has(opened, status="open", entity_id=self._failed, learning_count=0)
        path = f"/v1/incidents/{opened['incident_id']}"
        self._api.refuse(409, "incident_close_blocked_missing_rca", f"{path}/close", {})
        self._api.post(f"{path}/rca", {"summary": "It was meant to"})
        self._api.refuse(409, "incident_close_blocked_missing_learning", f"{path}/close", {})
        self._api.make(f"{path}/learning", {"note": "Expect it", "tags": ["walk"]})
        self._api.post(f"{path}/close", {"reason": "Understood"})
        shown = self._api.get(path)
        has(shown["incident"], status="closed", closed_reason="Understood")
        equal(ids(shown["learning"], "note"), ["Expect it"], "learning")
        own = {"title": "Twice", "severity": "high", "room_id": self._room, "idempotency_key": "twice"}
        first = self._api.make("/v1/incidents", own)["incident_id"]
        has(self._api.post("/v1/incidents", own), incident_id=first, deduped=True)

    def approvals(self):
        """Approvals: approve, deny, hold, and what is refused"""
        for decision, status in (("approve", "approved"), ("deny", "denied"), ("hold", "held")):
            asked = self._api.make("/v1/approvals", {"action": "email.send", "title": decision, "room_id": self._room})
            path, body = f"/v1/approvals/{asked['approval_id']}", {"decision": decision, "reason": "walk"}
            self._api.refuse(400, "invalid_decision", f"{path}/decide", {"decision": "perhaps"})
            self._api.refuse(403, "actor_claim_mismatch", f"{path}/decide", {**body, "actor_type": "agent"})
            self._engine.refuse(403, "operator_required", f"{path}/decide", body)
            self._api.post(f"{path}/decide", body)
            has(self._api.get(path)["approval"], status=status, decision=decision, decided_by_id="operator")
            if decision != "hold":
                self._api.refuse(409, "approval_already_decided", f"{path}/decide", body)
        has(self._api.get("/v1/approvals", room_id=self._room, status="held")["approvals"][0], title="hold")

    def policy(self):
        """Policy: decisions, dry run, action registry, constraints, kill switch"""
        known = {one["action_type"]: one for one in self._api.get("/v1/action-registry")["actions"]}
        has(known["external.write"], requires_pre_approval=True, zone_required="high_stakes")
        decisions = {"artifact.create": "allow", "walk.on.water": "deny", "email.send": "require_approval"}
        for action, decision in decisions.items():
            asked, head = {"action": action, "room_id": self._room}, self._last_event()
            has(self._api.post("/v1/policy/evaluate", {**asked, "dry_run": True}), decision=decision)
            equal(self._last_event(), head, f"last event after a dry run of {action}")
            has(self._api.post("/v1/policy/evaluate", asked), decision=decision)
            check((self._last_event() > head) == (decision != "allow"), f"{action}: recorded only when refused")
        learned = self._api.get("/v1/constraints", category="action")["constraints"]
        check("walk.on.water" in ids(learned, "action"), "constraints: nothing learned")
        self._kill_switch()

    def _last_event(self):
        return self._api.get("/v1/audit/verify")["head_global_seq"]

    def _kill_switch(self):
        steps = f"/v1/runs/{self._new_run()}/steps"
        step = self._api.make(steps, {"kind": "http", "plan_step_id": "publish"})["step_id"]
        calls, request = f"/v1/steps/{step}/toolcalls", {"tool_name": "http", "input": PUBLISH}
        engaged = self._api.post("/v1/kill-switch", {"engaged": True, "reason": "drill"})
        has(engaged["kill_switch"], engaged_by_operator=True, reason="drill")
        self._api.refuse(403, "kill_switch_active", calls, request)
        self._engine.refuse(403, "operator_required", "/v1/kill-switch", {"engaged": False})
        has(self._api.post("/v1/kill-switch", {"engaged": False, "reason": "all clear"}), engaged=False)
        has(self._api.get("/v1/kill-switch"), engaged=False)

    def _score(self, value, **of):
        """A scorecard of two metrics whose weighted mean is `value`."""
        metrics = [{"key": "brevity", "value": value - 0.25}, {"key": "care", "value": value + 0.125, "weight": 2}]
        body = {"template_key": "walk", "template_version": "1", "metrics": metrics, **of}
        made = self._api.make("/v1/scorecards", body)["scorecard_id"]
        return self._api.get(f"/v1/scorecards/{made}")["scorecard"]

    def experiments(self):
        """An experiment, scorecards (pass, warn, fail), a lesson"""
        made = self._api.make("/v1/experiments", {**EXPERIMENT, "room_id": self._room})["experiment_id"]
        path = f"/v1/experiments/{made}"
        self._api.post(f"{path}/update", {"title": "Shorter"})
        has(self._api.get(path)["experiment"], **{**EXPERIMENT, "title": "Shorter"}, status="open")
        run = self._new_run(experiment_id=made)
        self._api.refuse(409, "experiment_has_active_runs", f"{path}/close", {})
        self._api.post(f"/v1/runs/{run}/complete")
        for value, decision in ((0.75, "pass"), (0.5, "warn"), (0.25, "fail")):
            has(self._score(value, experiment_id=made, run_id=run), score=value, decision=decision)
        equal(len(pages(self._api, "/v1/scorecards", "scorecards", 2, experiment_id=made)), 3, "scorecards")
        said = {"experiment_id": made, "category": "walk", "summary": "Half will do"}
        lesson = self._api.make("/v1/lessons", said)["lesson_id"]
        shown = self._api.get(f"/v1/lessons/{lesson}")["lesson"]
        equal(self._api.get("/v1/lessons", **said)["lessons"], [shown], "lessons")
        has(self._api.post(f"{path}/close", {"reason": "answered"}), status="closed", active_run_count=0)
        has(self._api.get("/v1/experiments", room_id=self._room)["experiments"][0], status="closed", experiment_id=made)

    def pipeline(self):
        """The pipeline: all six stages, both formats"""
        # Unwritten: what puts a piece of work into a stage, and the members of `meta`.
        self._in_stage(STAGES[0], self._api.make("/v1/experiments", EXPERIMENT)["experiment_id"])
        self._in_stage(STAGES[1], self._api.make("/v1/approvals", {"action": "email.send"})["approval_id"])
        run = self._new_run(start=False, title="Through the pipeline")
        self._in_stage(STAGES[2], run)
        self._api.post(f"/v1/runs/{run}/start")
        self._api.post(f"/v1/runs/{run}/complete")
        self._in_stage(STAGES[3], run)
        self._score(0.75, run_id=run)
        self._in_stage(STAGES[4], run)
        self._in_stage(STAGES[5], self._failed)
        self._in_stage(STAGES[2], self._new_run())
        flat = staged(self._api.get("/v1/pipeline/projection"))
        equal({stage for stage, _ in flat}, set(STAGES), "stages in use")
        equal(sorted(self._walk_pipeline()), sorted(flat), "the envelope's pages against the flat answer")

    def _in_stage(self, stage, entity):
        check((stage, entity) in staged(self._api.get("/v1/pipeline/projection")), f"{entity} is not in {stage}")

    def _walk_pipeline(self):
        """Everything in the envelope, three at a time. Its shape is not in openapi.json."""
        items, cursor = [], {}
        while cursor is not None:
            page = self._api.get("/v1/pipeline/projection", format="envelope", limit=3, **cursor)
            found, following = staged(page["stages"]), page["meta"]["next_cursor"]
            check(len(found) <= 3, "pipeline: more than three on a page")
            items += found
            cursor = {f"cursor_{name}": value for name, value in following.items()} if following else None
        return items

    def sessions(self):
        """Owner sessions: bootstrap, login, refresh, reuse, logout"""
        self._workspace = f"ws_{self._tag}"
        proof = {"workspace_id": self._workspace, "passphrase": PASSPHRASE}
        self._anyone.refuse(403, "bootstrap_forbidden", "/v1/auth/bootstrap-owner", proof)
        first = self._api.make("/v1/auth/bootstrap-owner", {**proof, "display_name": "Min"})["session"]
        self._owner = Api(self._base, authorization=f"Bearer {first['access_token']}")
        self._anyone.refuse(401, "invalid_credentials", "/v1/auth/login", {**proof, "passphrase": "wrong horse"})
        old = self._anyone.post("/v1/auth/login", proof)["session"]
        shown = self._session(old)
        has(shown["owner"], workspace_id=self._workspace, display_name="Min")
        new = self._anyone.post("/v1/auth/refresh", {"refresh_token": old["refresh_token"]})["session"]
        self._session(old, 401, "invalid_session")
        has(self._session(new)["session"], session_id=shown["session"]["session_id"])
        self._anyone.refuse(401, "invalid_refresh_token", "/v1/auth/refresh", {"refresh_token": old["refresh_token"]})
        self._session(new, 401, "invalid_session")
        last = self._anyone.post("/v1/auth/login", proof)["session"]
        has(self._anyone.post("/v1/auth/logout", {"refresh_token": last["refresh_token"]}), revoked=True)
        self._session(last, 401, "invalid_session")

    def _session(self, tokens, status=200, code=None):
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        return self._anyone.get("/v1/auth/session", expect=status, code=code, headers=bearer)

    def engines(self):
        """The engine registry: tokens issued, listed, revoked; deactivation"""
        engine, retired = self._register("second")
        path = f"/v1/engines/{engine}"
        narrow = {"token_label": "narrow", "scopes": {"action_types": ["run.claim"], "rooms": [self._room]}}
        issued = self._api.make(f"{path}/tokens/issue", narrow)["token"]
        listed = self._api.get(f"{path}/tokens")["tokens"]
        equal({one["token_label"]: one["engine_token"] for one in listed}, {"narrow": None, "first": None}, "tokens")
        holder = Api(self._base, x_engine_id=engine, x_engine_token=issued["engine_token"])
        holder.refuse(403, "engine_action_not_allowed", "/v1/runs", method="GET")
        for already in (False, True):
            has(self._api.post(f"{path}/tokens/{issued['token_id']}/revoke"), already_revoked=already)
        holder.refuse(401, "engine_token_expired", "/v1/runs/claim", {})  # Unwritten: as if it had run out
        has(self._api.post(f"{path}/deactivate", {"reason": "retired"})["engine"], status="inactive")
        retired.refuse(403, "engine_inactive", "/v1/runs/claim", {})
        found = {one["engine_id"]: one["status"] for one in self._api.get("/v1/engines")["engines"]}
        has(found, **{self._engine_id: "active", engine: "inactive"})

    def events(self):
        """Events: filters, cursor, one event, as CloudEvents"""
        walked = pages(self._api, "/v1/events", "events", 7, run_id=self._run)
        equal(walked, self._api.events(run_id=self._run), "events by cursor")
        types = ["run.created", "run.completed"]
        equal(ids(self._api.events(run_id=self._run, event_types=types), "event_type"), types, "events by types")
        stream_of = {"stream_type": "room", "stream_id": self._room}
        equal(ids(self._api.events(**stream_of, from_seq=3, limit=2), "stream_seq"), [4, 5], "from_seq")
        earlier = self._api.events(**stream_of, before_recorded_at=walked[0]["recorded_at"], limit=2)
        check(earlier and earlier[-1]["recorded_at"] < walked[0]["recorded_at"], "before_recorded_at")
        one, cloud = f"/v1/events/{walked[0]['event_id']}", "application/cloudevents"
        has(self._api.get(one)["event"], event_type="run.created", run_id=self._run)
        has(self._api.get(one, headers={"accept": f"{cloud}+json"}), specversion="1.0", id=walked[0]["event_id"])
        batch = self._api.get("/v1/events", run_id=self._run, headers={"accept": f"{cloud}-batch+json"})
        equal(ids(batch, "id"), ids(walked, "event_id"), "CloudEvents batch")
        self._api.refuse(406, "not_acceptable", "/v1/events", method="GET", headers={"accept": "text/html"})

    def _frames(self, last_id, count, meanwhile=lambda: None):
        """The next frames of the room's stream as (id, event); what has no data is passed over."""
        path, found = f"/v1/streams/rooms/{self._room}", []
        connection = self._api.connect()
        connection.request("GET", path, headers={**self._api.credential, "last-event-id": str(last_id)})
        response = connection.getresponse()
        equal((response.status, response.headers.get_content_type()), (200, "text/event-stream"), path)
        meanwhile()
        while len(found) < count:
            lines = iter(lambda: response.readline().decode().rstrip("\r\n"), "")
            frame = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "data" in frame:
                found.append((int(frame["id"]), json.loads(frame["data"])))
        connection.close()
        return found

    def stream(self):
        """Server-sent events of the room, gone on with Last-Event-ID"""
        # Unwritten: a frame's id is the `stream_seq`, its data the event (without what it says of redaction).
        stream_of = {"stream_type": "room", "stream_id": self._room}
        Api.walked.add("GET /v1/streams/rooms/{room_id}")
        first = self._frames(0, 3)
        read = first + self._frames(first[-1][0], 5)
        equal([number for number, _ in read], list(range(1, 9)), "ids of the frames")
        known = self._api.events(**stream_of, limit=8)
        equal([event["event_id"] for _, event in read], ids(known, "event_id"), "events of the stream")
        seen = self._api.get("/v1/audit/hash-chain/verify", **stream_of)["last_stream_seq"]
        live = self._frames(seen, 1, lambda: self._api.make(self._messages, {"content_md": "Live", "lang": "en"}))
        has(live[0][1]["data"], content_md="Live")

    def workspace_stream(self):
        """Server-sent events of the whole workspace, from now on"""
        Api.walked.add("GET /v1/streams/workspace")
        connection = self._api.connect()
        connection.request("GET", "/v1/streams/workspace", headers=self._api.credential)
        response = connection.getresponse()
        equal((response.status, response.headers.get_content_type()), (200, "text/event-stream"), "stream")
        begin = int(response.readline().decode().removeprefix("id: "))
        equal(response.readline(), b"\n", "after the place where it begins")
        made = self._api.ask("POST", "/v1/rooms", {"title": "Seen from everywhere"}, 201)
        number, data = (response.readline().decode().rstrip("\n").split(": ", 1)[1] for _ in range(2))
        connection.close()
        has(json.loads(data), event_type="room.created", global_seq=int(number))
        equal(number, made.headers["x-commit-seq"], "id of the frame")
        check(int(number) > begin, f"{number} does not come after {begin}")

    def screens(self):
        """The web UI: a link that signs in once, its session, and read marks"""
        link = self._api.post("/v1/ui/links", {}, 201)["url"]
        code = {"code": link.split("/login#")[1]}
        signed = self._anyone.ask("POST", "/v1/ui/session", code, 201)
        self._anyone.refuse(401, "invalid_login_link", "/v1/ui/session", code)
        cookie = {"cookie": signed.headers["set-cookie"].split(";")[0]}
        csrf = {**cookie, "x-csrf-token": signed.body["session"]["csrf_token"]}
        equal(self._anyone.get("/v1/ui/session", headers=cookie), signed.body, "the session")
        self._anyone.refuse(403, "csrf_token_required", "/v1/ui/marks", {"marks": {}}, headers=cookie)
        marks = self._anyone.post("/v1/ui/marks", {"marks": {"home": 3, self._room: 2}}, headers=csrf)
        has(marks["marks"], home=3, **{self._room: 2})
        self._anyone.post("/v1/ui/marks", {"marks": {"home": 1}}, headers=csrf)
        equal(self._anyone.get("/v1/ui/marks", headers=cookie), marks, "marks never go back")
        has(self._anyone.post("/v1/ui/session/end", headers=csrf), revoked=True)
        self._anyone.refuse(401, "invalid_session", "/v1/ui/session", method="GET", headers=cookie)

    def past(self):
        """A run as it was at each of its events, and a plan that is none yet"""
        run = self._new_run(start=False)
        self._api.post(f"/v1/runs/{run}/cancel")
        now = self._api.get(f"/v1/runs/{run}/snapshot")
        then = self._api.get(f"/v1/runs/{run}/snapshot", at_seq=now["last_seq"])
        equal({**then, "at_seq": None}, now, "the past of the last event")
        statuses = [self._api.get(f"/v1/runs/{run}/snapshot", at_seq=event["global_seq"])["run"]["status"]
                    for event in self._api.events(run_id=run)]
        equal((statuses[0], statuses[-1]), ("queued", "cancelled"), "statuses")
        self._api.refuse(404, "run_not_found", f"/v1/runs/{run}/snapshot", method="GET", at_seq=now["first_seq"] - 1)
        step = self._api.post("/v1/plans/check", PLAN)["steps"][0]
        has(step, plan_step_id="publish", action="external.write", decision="require_approval")
        self._api.refuse(400, "plan_invalid", "/v1/plans/check", {"plan": {"version": 1}})

    def erasure(self):
        """What an event said is erased, and the chain still holds"""
        message = self._api.make(self._messages, {"content_md": "Something private", "lang": "en"})["message_id"]
        stream_of = {"stream_type": "room", "stream_id": self._room}
        event = next(event for event in pages(self._api, "/v1/events", "events", 200, **stream_of)
                     if event["data"].get("message_id") == message)["event_id"]
        answer = self._api.post(f"/v1/events/{event}/erase", {"reason": "asked for it"})
        has(answer, event_id=event)
        self._api.refuse(409, "event_already_erased", f"/v1/events/{event}/erase", {"reason": "again"})
        text = json.dumps(self._api.get(f"/v1/messages/{message}")) + json.dumps(self._api.get(f"/v1/events/{event}"))
        check("Something private" not in text, f"still there: {text:.300}")
        equal(self._api.get("/v1/search", q="Something private")["docs"], [], "search for what was erased")

    def proofs(self):
        """A signed checkpoint, an export with its proofs, a backup with its sums"""
        checkpoint = self._api.get("/v1/audit/checkpoint")
        origin, size, _ = checkpoint["note"].split("\n")[:3]
        check(checkpoint["verifier_key"].startswith(origin + "+") and int(size) > 0, f"checkpoint: {checkpoint}")
        export = self._api.get("/v1/audit/export")
        check(len(export["headers"]) == len(export["payloads"]) == len(export["places"]) > 0, "export: its lists differ")
        check(any(line.endswith(" erased") for line in export["payloads"]), "export: what was erased is not marked")
        with tarfile.open(fileobj=io.BytesIO(self._api.post("/v1/system/backup"))) as backup:
            sums = backup.extractfile("SHA256SUMS").read().decode().splitlines()
            for line in sums:
                digest, name = line.split("  ")
                equal(hashlib.sha256(backup.extractfile(name).read()).hexdigest(), digest, name)
            equal(len(sums), len(backup.getmembers()) - 1, "members with a sum")

    def redactions(self):
        """A secret is taken out before it is written"""
        secret = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
        message = self._api.make(self._messages, {"content_md": f"The token is {secret}.", "lang": "en"})["message_id"]
        text = self._api.get(f"/v1/messages/{message}")["message"]["content_md"]
        check(secret not in text and text.startswith("The token is "), f"redacted: {text!r}")
        equal(self._api.get("/v1/search", q=secret[:20])["docs"], [], "search for the secret")
        found = self._api.get("/v1/audit/redactions", stream_id=self._room, rule_id="github_pat")["redactions"]
        event = self._api.get(f"/v1/events/{found[0]['event_id']}")["event"]
        has(event, event_type="message.created", contains_secrets=True, redaction_level="partial")

    def idempotency(self):
        """Idempotency-Key: replay and conflict"""
        key, body = {"idempotency-key": f"once-{self._tag}"}, {"content_md": "Once", "lang": "en"}
        first = self._api.ask("POST", self._messages, body, 201, headers=key)
        equal(self._api.ask("POST", self._messages, body, 201, headers=key).body, first.body, "replayed answer")
        self._api.refuse(409, "idempotency_conflict", self._messages, {**body, "lang": "de"}, headers=key)
        newest = ids(self._api.get(self._messages, limit=2)["messages"], "content_md")
        check(newest[0] == "Once" != newest[1], f"said once: {newest}")

    def errors(self):
        """Errors: 400, 401, 403, 404, 405, 413, 415, 421"""
        bad = {b"{": "invalid_json", b"[]": "invalid_body", b'{"a":1,"a":2}': "duplicate_key", b"{}": "missing_title"}
        for body, code in bad.items():
            self._api.refuse(400, code, "/v1/rooms", body, headers={"content-type": "application/json"})
        self._api.refuse(400, "invalid_cursor", "/v1/rooms", method="GET", cursor="here")
        self._anyone.refuse(401, "missing_bearer_token", "/v1/rooms", method="GET")
        Api(self._base, authorization="Bearer none").refuse(401, "invalid_session", "/v1/rooms", method="GET")
        self._engine.refuse(403, "operator_required", "/v1/rooms", method="GET")
        self._owner.refuse(403, "operator_required", "/v1/audit/verify", method="GET")
        equal(self._problem_of(self._room), self._problem_of("room_none"), "a foreign room against a missing one")
        self._api.refuse(404, "route_not_found", "/v1/nowhere", method="GET")
        wrong = self._api.refuse(405, "method_not_allowed", "/v1/rooms", method="DELETE").headers["allow"]
        equal(self._api.ask("OPTIONS", "/v1/rooms", expect=204).headers["allow"], wrong, "Allow")
        equal(self._api.ask("HEAD", "/v1/rooms").body, b"", "HEAD")
        # Refused by its announced length alone. Unwritten: how long a body may be.
        self._api.refuse(413, "payload_too_large", "/v1/rooms", b"", headers={**JSON, "content-length": "1000000000"})
        self._api.refuse(415, "unsupported_media_type", "/v1/rooms", b"a=1", headers={"content-type": "text/plain"})
        self._api.refuse(421, "host_not_allowed", "/v1/rooms", method="GET", headers={"host": "evil.example"})

    def _problem_of(self, room):
        """What the owner of another workspace is told, without what differs in every answer."""
        problem = self._owner.refuse(404, "room_not_found", f"/v1/rooms/{room}", method="GET").body
        return json.dumps({**problem, "instance": ""}).replace(room, "ROOM")

    def system_health(self):
        """System health and its issues"""
        has(self._api.post("/v1/system/health", {"schema_version": "2.1"}), ok=True, workspace_id="ws_dev")
        self._api.refuse(400, "unsupported_version", "/v1/system/health", {"schema_version": "9"})
        self._api.make("/v1/incidents", {"title": "Still open"})
        found = self._api.get("/v1/system/health/issues", kind="active_incidents", limit=1)["items"]
        equal(ids(found, "summary"), ["Still open"], "issues of a kind")

    def hash_chain(self):
        """The hash chain of the export, recomputed"""
        for workspace in ("ws_dev", self._workspace):
            chosen, heads = {"x-workspace-id": workspace}, {}
            headers = {"accept": "application/x-ndjson", **chosen}
            for line in self._api.get("/v1/events", include_system="1", headers=headers).decode().splitlines():
                verify_event(json.loads(line), heads)
            check(workspace in {name for _, name in heads}, f"export of {workspace}: nothing of it")
            for (kind, name), (_, head) in heads.items():
                if name != "ws_system":
                    query = {"stream_type": kind, "stream_id": name, "headers": chosen}
                    has(self._api.get("/v1/audit/hash-chain/verify", **query), valid=True, last_event_hash=head)

    def audit(self):
        """At the end the log verifies, and the projections are what it says"""
        log = self._api.get("/v1/audit/verify")
        check(log["valid"] and not log["faults"] and log["head_file"]["consistent"], f"audit verify: {log}")
        has(self._api.post("/v1/projections/check"), equal=True, events=log["events"])

    def complete(self):
        """Every operation of openapi.json was asked for"""
        paths = Api.document["paths"]
        operations = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
        equal(sorted(operations - Api.walked), [], "operations that were not walked")


def main(base, token_file):
    with open(token_file, encoding="utf-8") as file:
        walk = Walk(base, file.read().strip())
    for name, station in vars(Walk).items():
        if not name.startswith("_"):
            before = held["checks"]
            print(station.__doc__, end=": ", flush=True)
            station(walk)
            print(f"ok, {held['checks'] - before} checks", flush=True)
    print(f"{held['checks']} checks held")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: walk.py BASE_URL TOKEN_FILE")
    try:
        main(*sys.argv[1:])
    except (Failed, LookupError, OSError, ValueError, http.client.HTTPException) as failure:
        sys.exit(f"FAILED {type(failure).__name__}: {failure}")
