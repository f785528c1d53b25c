"""Times what a search would cost without an index: the same queries as LIKE, over the same table, read only.

usage: like.py DATABASE < the answer of `Bench search`
"""
import json
import sqlite3
import sys
import time

queries = json.load(sys.stdin)["queries"]
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
statement = """SELECT doc_id, content_text FROM proj_search_docs
    WHERE workspace_id = 'ws_dev' AND content_text LIKE ? ESCAPE '\\' ORDER BY updated_at DESC LIMIT 20"""


def milliseconds(text):
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    begin = time.perf_counter()
    connection.execute(statement, (f"%{literal}%",)).fetchall()
    return (time.perf_counter() - begin) * 1000


for text in queries[:20]:
    milliseconds(text)
times = sorted(milliseconds(text) for text in queries)
print(json.dumps({"like_ms_p50": times[len(times) // 2], "like_ms_p95": times[int(len(times) * 0.95)]}))
