"""wheels.py DIST OUT: from the archives in DIST a wheel a platform, holding nothing but the binary."""

import base64
import hashlib
import pathlib
import sys
import zipfile

from targets import ROOT, TARGETS, binaries, version

dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
# As PEP 440 spells 1.2.3-rc.1.
number = version().replace("-rc.", "rc").replace("-beta.", "b").replace("-alpha.", "a")
METADATA = f"""Metadata-Version: 2.4
Name: seamcheck
Version: {number}
Summary: Finds integration hazards in AI-built apps: where the app meets a vendor and will leak, lose, duplicate, double-charge or hang
License-Expression: MIT OR Apache-2.0
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
Requires-Python: >=3.8
Project-URL: Repository, https://github.com/seamcheck/seamcheck
Description-Content-Type: text/markdown

"""

for target, binary in binaries(dist):
    tags = TARGETS[target][2]
    info = f"seamcheck-{number}.dist-info"
    tag_lines = "".join(f"Tag: py3-none-{tag}\n" for tag in tags)
    files = [
        (f"seamcheck-{number}.data/scripts/{TARGETS[target][3]}", binary, 0o755),
        (f"{info}/METADATA", (METADATA + (ROOT / "README.md").read_text()).encode(), 0o644),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: seamcheck\nRoot-Is-Purelib: false\n{tag_lines}".encode(), 0o644),
        (f"{info}/licenses/LICENSE-APACHE", (ROOT / "LICENSE-APACHE").read_bytes(), 0o644),
        (f"{info}/licenses/LICENSE-MIT", (ROOT / "LICENSE-MIT").read_bytes(), 0o644),
    ]
    record = ""
    for name, content, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files.append((f"{info}/RECORD", (record + f"{info}/RECORD,,\n").encode(), 0o644))
    to = out / f"seamcheck-{number}-py3-none-{'.'.join(tags)}.whl"
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, content)
    print(to)
