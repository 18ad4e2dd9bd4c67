"""What no form may be taken in by: unreadable and absurd texts, strange ids, other origins, bodies that are none."""

UNREADABLE = {"NUL": b"a%00b", "not UTF-8": b"a%FF%FEb", "steering": "a\u202eb".encode(), "huge": b"x" * 20_000}
"""In no field of any form, not even where text is free."""

ABSURD = {
    "not a number": b"NaN",
    "infinite": b"inf",
    "negative": b"-1",
    "too many digits": b"9" * 400,
    "exponent": b"1e309",
    "other digits": "١٢".encode(),
    "markup": b"%3Cscript%3E",
    "SQL": b"1%27%20OR%201%3D1--",
    "words": b"no such word",
    "odd number": b"1.0000001",
}
"""In no field but those of free text."""

IDS = ["0", "-1", "987", str(2**31), str(2**63), "9" * 400, "9" * 5000, "1.5", "1e3", "x", "%00", "1%20"]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "none"},
]
BODIES = ["application/json", "text/plain", "application/xml", "application/octet-stream"]
