"""sbom.py Cargo.lock: a CycloneDX list of the crates that the binary is made of, as the lockfile names them."""

import json
import re
import sys

from targets import version

components = []
for block in open(sys.argv[1]).read().split("[[package]]")[1:]:
    found = dict(re.findall(r'^(name|version|source|checksum) = "(.*)"$', block, re.M))
    if "source" not in found:
        continue
    reference = f"pkg:cargo/{found['name']}@{found['version']}"
    component = {"type": "library", "bom-ref": reference, "name": found["name"], "version": found["version"], "purl": reference}
    if "checksum" in found:
        component["hashes"] = [{"alg": "SHA-256", "content": found["checksum"]}]
    components.append(component)
tool = {"type": "application", "bom-ref": "seamcheck", "name": "seamcheck", "version": version()}
print(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": tool}, "components": components}, indent=1))
