"""archive.py TARGET FOLDER OUT: packs the binary in FOLDER with the licences, the same bytes each time."""

import gzip
import io
import pathlib
import sys
import tarfile
import zipfile

from targets import ROOT, TARGETS, archive

target, folder, out = sys.argv[1:]
name = TARGETS[target][3]
files = [(name, pathlib.Path(folder) / name, 0o755)]
files += [(path, ROOT / path, 0o644) for path in ("LICENSE-APACHE", "LICENSE-MIT", "README.md")]
pathlib.Path(out).mkdir(parents=True, exist_ok=True)
to = pathlib.Path(out) / archive(target)
if to.suffix == ".zip":
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:
        for inside, path, mode in files:
            entry = zipfile.ZipInfo(inside, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            packed.writestr(entry, path.read_bytes())
else:
    with gzip.GzipFile(to, "wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as packed:
        for inside, path, mode in files:
            content = path.read_bytes()
            entry = tarfile.TarInfo(inside)
            entry.size, entry.mode = len(content), mode
            packed.addfile(entry, io.BytesIO(content))
print(to)
