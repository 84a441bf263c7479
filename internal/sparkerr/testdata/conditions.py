"""Prints the catalogue of error conditions that a Spark distribution carries, in our compact form.

Usage: python conditions.py error-conditions.json > conditions.txt

A main condition is a line "NAME<tab>SQLSTATE<tab>TEXT", a sub-condition of the main one above it the same with a leading
dot; backslash-n is a line break.
"""

import json
import sys


def row(name, c):
    text = "\n".join(c["message"]).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return f"{name}\t{c.get('sqlState', '')}\t{text}"


with open(sys.argv[1], encoding="utf-8") as f:
    conditions = json.load(f)
for name, c in sorted(conditions.items()):
    print(row(name, c))
    for sub, s in sorted(c.get("subClass", {}).items()):
        print(row("." + sub, s))
