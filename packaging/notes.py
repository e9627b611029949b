"""notes.py VERSION: the changelog's section of a version."""

import re
import sys

from targets import ROOT

text = (ROOT / "CHANGELOG.md").read_text()
found = re.search(rf"^## {re.escape(sys.argv[1])} [^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
sys.exit(f"CHANGELOG.md has no section of {sys.argv[1]}") if not found else print(found[1].strip())
