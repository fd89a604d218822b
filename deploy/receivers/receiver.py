"""The smallest honest receiver for Python 3.9 or later, with the standard library only.

    WEBHOOK_SECRET=whsec_... PORT=3000 python3 receiver.py
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("WEBHOOK_SECRET", "")
KEY = base64.b64decode(SECRET[6:] if SECRET.startswith("whsec_") else SECRET)
TOLERANCE_SECONDS = 300
MAX_BYTES = 32 * 1024 * 1024
# As long as the relay keeps deliveries (PARKED_MAX_AGE_DAYS), and more.
KEEP_SECONDS = 7 * 86400

if not KEY:
    raise SystemExit("WEBHOOK_SECRET must be set")

LOCK = threading.Lock()
UNDER_WAY = set()
SEEN = sqlite3.connect(os.environ.get("SEEN_FILE", "seen.sqlite"), check_same_thread=False)
SEEN.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER)")
SEEN.execute("CREATE INDEX IF NOT EXISTS seen_at ON seen (at)")
SEEN.commit()


def handle(event):
    """Your work. What it raises is answered with 500, and the relay tries again."""
    print(f"{event['event']} of {event.get('instance')}", flush=True)


def is_signed(headers, body):
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{message_id}.{timestamp}.".encode("latin-1") + body
    expected = hmac.new(KEY, signed, hashlib.sha256).digest()
    # Two signatures while a secret is being changed: one of them has to fit.
    for each in (headers.get("webhook-signature") or "").split(" "):
        try:
            given = base64.b64decode(each[3:].encode("latin-1"), validate=True)
        except (binascii.Error, ValueError):
            continue
        if each.startswith("v1,") and hmac.compare_digest(given, expected):
            return True
    return False


def receive(headers, body):
    # The bytes as they came: JSON that was parsed and written again has another signature.
    if not is_signed(headers, body):
        return 401
    message_id = headers["webhook-id"]
    with LOCK:
        # Under way: the relay is to ask again. Done: it is to be content.
        if message_id in UNDER_WAY:
            return 409
        if SEEN.execute("SELECT 1 FROM seen WHERE id = ?", (message_id,)).fetchone():
            return 200
        UNDER_WAY.add(message_id)
    try:
        handle(json.loads(body))
        with LOCK, SEEN:
            SEEN.execute("DELETE FROM seen WHERE at < ?", (int(time.time()) - KEEP_SECONDS,))
            SEEN.execute("INSERT INTO seen VALUES (?, ?)", (message_id, int(time.time())))
        return 200
    except Exception:
        traceback.print_exc()
        return 500
    finally:
        with LOCK:
            UNDER_WAY.discard(message_id)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers.get("content-length") or ""
        if not length.isdigit() or int(length) > MAX_BYTES:
            self.close_connection = True
            self.answer(413 if length.isdigit() else 411)
            return
        self.answer(receive(self.headers, self.rfile.read(int(length))))

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer((os.environ.get("HOST", ""), int(os.environ.get("PORT", "3000"))), Handler)
    print("listening", flush=True)
    server.serve_forever()
