"""npm.py DIST OUT: from the archives in DIST one npm package a platform, and the one that chooses among them."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from targets import ROOT, TARGETS, binaries, version

dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
about = {
    "version": version(),
    "license": "MIT OR Apache-2.0",
    "repository": {"type": "git", "url": "git+https://github.com/seamcheck/seamcheck.git"},
    "homepage": "https://github.com/seamcheck/seamcheck#readme",
}


def pack(folder, to):
    npm = shutil.which("npm")
    said = subprocess.run([npm, "pack", "--json"], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    shutil.move(folder / json.loads(said)[0]["filename"].replace("@", "").replace("/", "-"), to)
    print(to)


with tempfile.TemporaryDirectory() as work:
    for target, binary in binaries(dist):
        system, cpu, _, name = TARGETS[target]
        folder = pathlib.Path(work) / f"{system}-{cpu}"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / name).write_bytes(binary)
        (folder / "bin" / name).chmod(0o755)
        manifest = {"name": f"@seamcheck/{system}-{cpu}", "description": f"The binary of seamcheck for {system} on {cpu}", **about}
        manifest |= {"os": [system], "cpu": [cpu], "preferUnplugged": True, "files": ["bin"]}
        (folder / "package.json").write_text(json.dumps(manifest, indent=2))
        (folder / "README.md").write_text("The binary of [seamcheck](https://www.npmjs.com/package/seamcheck) for one platform.\n")
        pack(folder, out / f"seamcheck-{system}-{cpu}.tgz")
    folder = pathlib.Path(work) / "seamcheck"
    shutil.copytree(ROOT / "npm" / "seamcheck", folder)
    shutil.copy(ROOT / "README.md", folder)
    manifest = json.loads((folder / "package.json").read_text()) | about
    manifest["optionalDependencies"] = {f"@seamcheck/{system}-{cpu}": version() for system, cpu, _, _ in TARGETS.values()}
    (folder / "package.json").write_text(json.dumps(manifest, indent=2))
    pack(folder, out / "seamcheck.tgz")
