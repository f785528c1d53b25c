"""What an api does while its Postgres is restarted, cut off, away, or out of disk: it answers 503 with Retry-After, says
why in /readyz, is back by itself, and has lost nothing that it acknowledged.

usage: outages.py ADDRESS TOKEN POSTGRES_DIR INFRA_POSTGRES SECONDS_AWAY

POSTGRES_DIR is what `infra/postgres start DIR` was given, on a small file system of its own. Clients write all the while,
each write under an idempotency key, again and again until it is acknowledged.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time

ADDRESS, TOKEN, POSTGRES, INFRA, SECONDS_AWAY = sys.argv[1:5] + [int(sys.argv[5])]
HOST = ADDRESS.split("//")[1]
CLIENTS = 8
RECOVERY_SECONDS_MAX = 30
faults = []


def fault(text):
    faults.append(text)
    print("FAULT", text, flush=True)


def ask(connection, method, path, body=None, key=None):
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    if key:
        headers["idempotency-key"] = key
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), text


class Client(threading.Thread):
    """Writes until it is told to stop; remembers what it was told."""

    def __init__(self, number):
        super().__init__()
        self.number, self.stopping = number, False
        self.acknowledged, self.refused, self.longest_gap = {}, 0, 0.0

    def run(self):
        connection = http.client.HTTPConnection(HOST, timeout=60)
        count = 0
        while not self.stopping:
            count += 1
            title, began = f"client {self.number} room {count}", time.monotonic()
            while True:
                status, fields, text = ask(connection, "POST", "/v1/rooms", {"title": title}, key=title.replace(" ", "-"))
                if status == 201:
                    self.acknowledged[title] = json.loads(text)["room_id"]
                    self.longest_gap = max(self.longest_gap, time.monotonic() - began)
                    break
                self.refused += 1
                if status != 503:
                    fault(f"{title}: {status} {text[:300]!r}")
                elif not fields.get("retry-after", "").isdigit():
                    fault(f"{title}: 503 without Retry-After: {fields}")
                if self.stopping:
                    return
                time.sleep(0.05)


clients = [Client(number) for number in range(CLIENTS)]


def acknowledged():
    return sum(len(client.acknowledged) for client in clients)


def refused():
    return sum(client.refused for client in clients)


def ready():
    connection = http.client.HTTPConnection(HOST, timeout=60)
    status, _, text = ask(connection, "GET", "/readyz?verbose")
    return status, json.loads(text)


def until(what, seconds, is_so):
    """Waits until it is so; how long that took."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > seconds:
            fault(f"{what}: not within {seconds} s")
            break
        time.sleep(0.02)
    return time.monotonic() - began


def said_why(words):
    status, answer = ready()
    details = " ".join(check["detail"] or "" for check in answer["checks"] if not check["ok"])
    return status == 503 and any(word in details for word in words)


def goes_on(since):
    """More is acknowledged than all that was under way at that moment."""
    return lambda: acknowledged() > since + 2 * CLIENTS


def drill(name, disturb, mend, words):
    """Disturbs, sees the refusals and the reason, mends, and sees it go on."""
    acknowledged_before, refused_before = acknowledged(), refused()
    began = time.monotonic()
    disturb()
    why = "-"
    if words:
        until(f"{name}: refusals", 60, lambda: refused() > refused_before)
        until(f"{name}: /readyz says why", 30, lambda: said_why(words))
        details = {check["name"]: check["detail"] for check in ready()[1]["checks"]}
        why = details.get("database_writable") or details.get("database_readable") or "-"
    mend()
    since = acknowledged()
    recovery = until(f"{name}: recovery", RECOVERY_SECONDS_MAX, goes_on(since))
    until(f"{name}: ready", RECOVERY_SECONDS_MAX, lambda: ready()[0] == 200)
    print(
        f"{name}: {time.monotonic() - began:.1f} s in all, {refused() - refused_before} refused, back "
        f"{recovery:.2f} s after it was mended, {acknowledged() - acknowledged_before} acknowledged; /readyz: {why}",
        flush=True,
    )


def postgres(verb):
    subprocess.run([INFRA, verb, POSTGRES], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pid():
    with open(f"{POSTGRES}/data/postmaster.pid") as file:
        return int(file.readline())


def alive(process):
    try:
        os.kill(process, 0)
        return True
    except OSError:
        return False


def crash():
    process = pid()
    os.kill(process, 3)  # SIGQUIT: an immediate shutdown, without saying goodbye to anybody
    until("the server's end", 30, lambda: not alive(process))


def sql(text):
    url = subprocess.run([INFRA, "url", POSTGRES], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["psql", "-qAt", url, "-c", text], check=True, stdout=subprocess.DEVNULL)


def cut():
    for _ in range(5):
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aos-api'")
        time.sleep(0.2)


def fill():
    """Takes all the room that is left, and what is freed meanwhile."""
    with open(f"{POSTGRES}/filler", "ab", buffering=0) as file:
        deadline = time.monotonic() + 60
        before = refused()
        while refused() == before and time.monotonic() < deadline:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                time.sleep(0.05)


def make_room():
    os.remove(f"{POSTGRES}/filler")
    # Without room for its log a Postgres may have ended itself; whoever supervises it starts it again.
    try:
        if alive(pid()):
            return
    except OSError:
        pass
    postgres("start")


for client in clients:
    client.start()
until("the first writes", 30, goes_on(0))
drill("connections cut", cut, lambda: None, [])
drill("server restarted", crash, lambda: postgres("start"), [])
drill(
    f"server away for {SECONDS_AWAY} s", lambda: postgres("stop"),
    lambda: (time.sleep(SECONDS_AWAY), postgres("start")), ["cannot be reached", "lost"],
)
drill("disk full", fill, make_room, ["disk", "space", "cannot be reached", "lost", "recovery"])
for client in clients:
    client.stopping = True
for client in clients:
    client.join()

# All that was acknowledged is there, once.
connection = http.client.HTTPConnection(HOST, timeout=120)
rooms, cursor = {}, 0
while True:
    status, _, text = ask(
        connection, "GET", f"/v1/events?include_system=1&event_types=room.created&limit=200&cursor={cursor}")
    if status != 200:
        fault(f"events: {status} {text[:300]!r}")
        break
    page = json.loads(text)["events"]
    if not page:
        break
    for event in page:
        rooms.setdefault(event["data"]["title"], []).append(event["room_id"])
    cursor = page[-1]["global_seq"]
for client in clients:
    for title, room in client.acknowledged.items():
        if rooms.get(title) != [room]:
            fault(f"{title}: acknowledged as {room}, the log has {rooms.get(title)}")
doubled = [title for title, ids in rooms.items() if len(ids) > 1]
if doubled:
    fault(f"recorded twice: {doubled[:5]}")
status, _, text = ask(connection, "GET", "/v1/audit/verify")
verified = json.loads(text)
if status != 200 or not verified["valid"]:
    fault(f"the log is not valid: {status} {text[:500]!r}")
print(
    f"{acknowledged()} acknowledged, all of them there once; {refused()} refused with 503 and Retry-After; longest wait "
    f"of one write {max(client.longest_gap for client in clients):.1f} s; the log is valid with {verified.get('events')} events"
)
sys.exit(1 if faults else 0)
