#!/usr/bin/env python3
"""Runs the commands of a page of the documentation, word by word, as a new user would.

    blocks.py PROGRAMS PAGE…

Each page gets a new HOME and an empty folder. Blocks of `sh` are run in their order, each as one script that must succeed, or
end as the fence says (`sh exit=3`); `aos up` is left running until the page ends. A fence with a file's name (`json plan.json`)
writes that file. Other languages are for reading only.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

READY_S = 30
BLOCK_S = 120
DRAIN_S = 30
SHOWN = 2_000

FENCE = re.compile(r"^```(\w*)[ ]?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Failed(Exception):
    """A page says something that is not so."""


def start(block, environment, folder):
    """`aos up` in a terminal of its own; waits for its three lines."""
    log = open(folder / ".up.log", "wb")
    process = subprocess.Popen(["bash", "-c", f"exec {block}"], env=environment, cwd=folder, stdout=log, stderr=log)
    deadline = time.monotonic() + READY_S
    while b"try " not in (folder / ".up.log").read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"`{block}` is not ready:\n{(folder / '.up.log').read_text(errors='replace')[-SHOWN:]}")
        time.sleep(0.05)
    return process


def run(block, wanted, environment, folder):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], env=environment, cwd=folder, capture_output=True,
                          text=True, timeout=BLOCK_S)
    if done.returncode != wanted:
        raise Failed(f"exit {done.returncode}, expected {wanted}:\n{block}\n--- {done.stdout[-SHOWN:]}\n--- {done.stderr[-SHOWN:]}")


def walk(programs, page):
    blocks, up = 0, []
    with tempfile.TemporaryDirectory(prefix="aos-docs-") as home:
        folder = pathlib.Path(home) / "work"
        folder.mkdir()
        environment = {
            "HOME": home, "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8", "PORT": "0",
            "SWIFT_BACKTRACE": "enable=no",
        }
        try:
            for language, rest, text in FENCE.findall(page.read_text()):
                if language == "sh" and re.fullmatch(r"aos up\b.*", text.strip()):
                    up.append(start(text.strip(), environment, folder))
                elif language == "sh":
                    found = re.fullmatch(r"exit=(\d+)", rest)
                    if not up:
                        # A how-to begins where the tutorial has led.
                        up.append(start("aos up", environment, folder))
                    run(text, int(found[1]) if found else 0, environment, folder)
                elif rest and re.fullmatch(r"[\w.-]+", rest):
                    (folder / rest).write_text(text)
                    continue
                else:
                    continue
                blocks += 1
        finally:
            for process in up:
                process.terminate()
                process.wait(timeout=DRAIN_S)
    if blocks == 0:
        raise Failed("no command on the page")
    return blocks


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    for name in sys.argv[2:]:
        try:
            print(f"ok    {name}: {walk(programs, pathlib.Path(name))} blocks", flush=True)
        except Failed as failure:
            print(f"FAIL  {name}: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
