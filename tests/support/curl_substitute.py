"""A substitute for curl, which sends the requests of the README without curl installed.

It supports the few options that the README uses: `python -m tests.support.curl_substitute
-s URL`.
"""

import argparse
import sys
import time
from pathlib import Path

import httpx

TIMED_OUT, FAILED = 28, 22
"""Exit codes of curl for a timeout, and for a response with a status of 400 or more."""


def read_options() -> argparse.Namespace:
    """Parse the command line as curl does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-i", "--include", action="store_true")
    parser.add_argument("-N", "--no-buffer", action="store_true")
    parser.add_argument("--fail-with-body", action="store_true")
    parser.add_argument("--max-time", type=float, default=60)
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("--json")
    return parser.parse_args()


def main() -> int:
    """Send the request, print the response as it arrives, and return curl's exit code."""
    options = read_options()
    body = sys.stdin.buffer.read() if options.data == "@-" else options.data
    if options.json:
        body = Path(options.json.removeprefix("@")).read_bytes()
        options.header.append("Content-Type: application/json")
    method = options.request or ("GET" if body is None else "POST")
    headers = dict(one.split(": ", 1) for one in options.header)
    ends = time.monotonic() + options.max_time
    try:
        with httpx.stream(
            method, options.url, headers=headers, content=body, timeout=options.max_time
        ) as answer:
            if options.include:
                head = [f"HTTP/1.1 {answer.status_code}"]
                head += [f"{name}: {value}" for name, value in answer.headers.items()]
                sys.stdout.write("\n".join([*head, "", ""]))
            for piece in answer.iter_text():
                sys.stdout.write(piece)
                sys.stdout.flush()
                if time.monotonic() > ends:
                    return TIMED_OUT
    except httpx.TimeoutException:
        return TIMED_OUT
    return FAILED if answer.is_error and options.fail_with_body else 0


if __name__ == "__main__":
    sys.exit(main())
