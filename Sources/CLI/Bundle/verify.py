#!/usr/bin/env python3
"""Checks an audit bundle of AgentOS with Python's standard library only.

    python3 verify.py KEY [FOLDER]

KEY is the public key as `aos audit key` prints it, or a file with it. Get it from whom you trust, never from the bundle.
FOLDER is the unpacked bundle; the default is this file's. Exit 0: all of it was recorded, and nothing of it is missing or
changed. Exit 1: not so; each line says where. Exit 2: it cannot be checked.
"""
import base64
import hashlib
import json
import os
import sys

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def sha256(data):
    return hashlib.sha256(data).digest()


# Ed25519 (RFC 8032, 5.1), in extended coordinates.
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != x2 or (x == 0 and sign):
        raise ValueError("no point of the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point(bytes.fromhex("58" + "66" * 31))


def is_signed(key, message, signature):
    try:
        a, r = point(key), point(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    p, q = times(s, BASE), add(r, times(k, a))
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


class Bundle:
    def __init__(self, folder, key):
        self.folder, self.key, self.faults = folder, key, []

    def fault(self, text):
        self.faults.append(text)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def lines(self, name):
        lines = self.read(name).split(b"\n")
        return lines[:-1] if lines[-1] == b"" else lines

    def note(self, name):
        """The text of a signed note (https://c2sp.org/signed-note); None if it is not one of the key's."""
        text, _, signatures = self.read(name).decode("utf-8", "replace").rpartition("\n\n")
        text += "\n"
        found = []
        for line in signatures.splitlines():
            words = line.split(" ")
            if len(words) != 3 or words[0] != "\u2014":
                continue
            signature = base64.b64decode(words[2])
            key_id = sha256(words[1].encode() + b"\n\x01" + self.key)[:4]
            found.append(f"{words[1]} {signature[:4].hex()}")
            if signature[:4] == key_id and is_signed(self.key, text.encode(), signature[4:]):
                return text.splitlines()
        return self.fault(f"{name}: not signed by the given key (signed by {', '.join(found) or 'nobody'})")

    def check(self):
        checkpoint, manifest = self.note("checkpoint.txt"), self.note("manifest.txt")
        if checkpoint is None or manifest is None:
            return
        if len(manifest) != 7 or manifest[0] != "agentos.local/export/1":
            return self.fault("manifest.txt: of a kind that this program does not know")
        if checkpoint[0] != manifest[1] or " ".join(checkpoint[1:3]) != manifest[2]:
            return self.fault("checkpoint.txt: not the one that the manifest is of")
        self.size, self.root = int(checkpoint[1]), base64.b64decode(checkpoint[2])
        if "sha256:" + sha256(self.read("places.txt")).hex() != manifest[6].split(" ")[1]:
            return self.fault("places.txt: not what was signed")
        self.nodes = {}
        for line in self.lines("nodes.txt"):
            start, end, root = line.split(b" ")
            self.nodes[int(start), int(end)] = bytes.fromhex(root.decode())
        self.known = {(0, self.size): self.root}
        places = [int(line) for line in self.lines("places.txt")]
        headers, payloads = self.lines("headers.jsonl"), self.lines("payloads.txt")
        self.erased, tips = 0, {}
        for number, place in enumerate(places, 1):
            if number > len(headers):
                return self.fault(f"headers.jsonl line {number}: missing; event {place} was exported, the file ends before it")
            header = headers[number - 1]
            where = f"headers.jsonl line {number}, event {place}"
            try:
                event = json.loads(header)
                stream = event["stream_type"], event["stream_id"]
                where += f" (it says {stream[0]}/{stream[1]} seq {event['stream_seq']})"
            except (ValueError, KeyError, TypeError):
                return self.fault(f"{where}: not the event that was recorded there")
            hashed = "sha256:" + sha256(header).hex()
            if not self.is_recorded(hashed, place - 1):
                return self.fault(f"{where}: not the event that was recorded there")
            seq, tip = tips.get(stream, (0, None))
            if event["stream_seq"] == seq + 1 and event["prev_event_hash"] != tip:
                return self.fault(f"{where}: not linked to the event before it in its stream")
            tips[stream] = event["stream_seq"], hashed
            if not self.is_payload(number, place, event, payloads, where):
                return
        for name, lines in (("headers.jsonl", headers), ("payloads.txt", payloads)):
            if len(lines) > len(places):
                self.fault(f"{name} line {len(places) + 1}: more than was exported")
        if "sha256:" + sha256(self.read("headers.jsonl")).hex() != manifest[5].split(" ")[1]:
            self.fault("headers.jsonl: not what was signed")
        if not self.faults:
            print(f"valid: {len(places)} events, {self.erased} redacted; {manifest[3]}; log {checkpoint[0]} of {self.size} events")

    def is_payload(self, number, place, event, payloads, where):
        """False when the lines are out of step, so that nothing can be said of those that follow."""
        where = where.replace("headers.jsonl", "payloads.txt")
        if number > len(payloads):
            return self.fault(f"{where}: missing; the file ends before it")
        words = payloads[number - 1].split(b" ", 2)
        if words[0] != str(place).encode():
            return self.fault(f"{where}: another event's payload, or none, stands there")
        if words[1:] == [b"erased"]:
            self.erased += 1
            return True
        try:
            digest = sha256(bytes.fromhex(words[1].decode()) + words[2]).hex()
        except (ValueError, IndexError):
            digest = "none"
        if "sha256:" + digest != event["payload_digest"]:
            self.fault(f"{where}: not the payload that was recorded")
        return True

    def is_recorded(self, event_hash, index):
        """Whether the tree has this leaf there (RFC 6962, 2.1.1): up to a node that is known to be of the tree."""
        path, low, high = [], 0, self.size
        if not 0 <= index < high:
            return False
        while high - low > 1:
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if index < middle:
                path.append(((low, high), (middle, high), False))
                high = middle
            else:
                path.append(((low, high), (low, middle), True))
                low = middle
        here, root, proven = (index, index + 1), sha256(b"\0" + event_hash.encode()), {}
        for above, beside, is_left in reversed(path):
            proven[here] = root
            if here in self.known:
                break
            other = self.nodes.get(beside, b"")
            proven[beside] = other
            here, root = above, sha256(b"\1" + other + root if is_left else b"\1" + root + other)
        if self.known.get(here) != root:
            return False
        self.known.update(proven)
        return True


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    text = sys.argv[1]
    if os.path.exists(text):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    try:
        key = base64.b64decode(text.strip().split("+", 2)[2], validate=True)
        if len(key) != 33 or key[0] != 1:
            raise ValueError
    except (IndexError, ValueError):
        print("verify.py: the key is none: expected <name>+<id>+<base64>, as `aos audit key` prints it")
        sys.exit(2)
    bundle = Bundle(sys.argv[2] if len(sys.argv) == 3 else os.path.dirname(os.path.abspath(__file__)), key[1:])
    try:
        bundle.check()
    except OSError as error:
        print(f"verify.py: {error.filename}: {error.strerror}")
        sys.exit(2)
    except (ValueError, IndexError) as error:
        bundle.fault(f"the bundle cannot be read: {error}")
    for fault in bundle.faults:
        print(f"NOT VALID: {fault}")
    sys.exit(1 if bundle.faults else 0)


main()
