"""version.py TAG: whether the tag, Cargo.toml, Cargo.lock and the changelog name one version."""

import re
import sys

from targets import ROOT, version

wanted = version()
faults = []
if sys.argv[1] != f"v{wanted}":
    faults.append(f"the tag is {sys.argv[1]}, Cargo.toml says {wanted}")
if not re.search(rf'name = "seamcheck"\nversion = "{re.escape(wanted)}"', (ROOT / "Cargo.lock").read_text()):
    faults.append("Cargo.lock is of another version: run cargo check")
if not re.search(rf"^## {re.escape(wanted)} ", (ROOT / "CHANGELOG.md").read_text(), re.M):
    faults.append(f"CHANGELOG.md has no section `## {wanted} (day)`")
sys.exit("\n".join(faults) or None)
