"""sbom.py: a CycloneDX list of the crates that the binary is made of, as the lockfile names them."""

import json
import re

from targets import ROOT, version

lock = (ROOT / "Cargo.lock").read_text()
crates = {}
for block in lock.split("[[package]]")[1:]:
    found = dict(re.findall(r'^(name|version|source|checksum) = "(.*)"$', block, re.M))
    listed = re.search(r"^dependencies = \[(.*?)^\]", block, re.M | re.S)
    # "name", or "name version" where the lockfile has several.
    found["needs"] = re.findall(r'"([^"]+)"', listed[1]) if listed else []
    crates.setdefault(found["name"], []).append(found)

# What only tests need is in no binary. Other crates' entries list nothing that only their own tests need.
sections = re.split(r"^\[(.+?)\]$", (ROOT / "Cargo.toml").read_text(), flags=re.M)
ours = "".join(text for name, text in zip(sections[1::2], sections[2::2]) if name in ("dependencies", "build-dependencies"))
open_ends, reached = re.findall(r"^([\w-]+) = ", ours, re.M), {}
while open_ends:
    name, _, number = open_ends.pop().partition(" ")
    for crate in crates[name]:
        key = (name, crate["version"])
        if key not in reached and number.split(" ")[0] in ("", crate["version"]):
            reached[key] = crate
            open_ends += crate["needs"]

components = []
for _, found in sorted(reached.items()):
    reference = f"pkg:cargo/{found['name']}@{found['version']}"
    component = {"type": "library", "bom-ref": reference, "name": found["name"], "version": found["version"], "purl": reference}
    if "checksum" in found:
        component["hashes"] = [{"alg": "SHA-256", "content": found["checksum"]}]
    components.append(component)
tool = {"type": "application", "bom-ref": "seamcheck", "name": "seamcheck", "version": version()}
print(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": tool}, "components": components}, indent=1))
