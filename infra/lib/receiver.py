"""A small receiver for the quickstart: takes what is published, appends it to a file, answers 201.

usage: receiver.py PORT FILE    (loopback only)
"""
import http.server
import sys


class Receiver(http.server.BaseHTTPRequestHandler):
    bytes_max = 1 << 20

    def do_POST(self):
        length = int(self.headers.get("content-length", "0"))
        if length > self.bytes_max:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        with open(sys.argv[2], "ab") as file:
            file.write(b"POST " + self.path.encode() + b"\n" + body + b"\n")
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
