"""The platforms that are released, and what each package registry calls them."""

import pathlib
import re
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# target: (npm os, npm cpu, wheel tags, the binary's name)
TARGETS = {
    "x86_64-unknown-linux-musl": ("linux", "x64", ["manylinux_2_17_x86_64", "manylinux2014_x86_64", "musllinux_1_1_x86_64"], "seamcheck"),
    "aarch64-unknown-linux-musl": ("linux", "arm64", ["manylinux_2_17_aarch64", "manylinux2014_aarch64", "musllinux_1_1_aarch64"], "seamcheck"),
    "x86_64-apple-darwin": ("darwin", "x64", ["macosx_10_12_x86_64"], "seamcheck"),
    "aarch64-apple-darwin": ("darwin", "arm64", ["macosx_11_0_arm64"], "seamcheck"),
    "x86_64-pc-windows-msvc": ("win32", "x64", ["win_amd64"], "seamcheck.exe"),
}


def version():
    """The version in Cargo.toml."""
    return re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def archive(target):
    """The name of a target's archive."""
    return f"seamcheck-{target}.{'zip' if 'windows' in target else 'tar.gz'}"


def binaries(folder):
    """The targets whose archives lie in a folder, each with its binary's bytes."""
    for target, (_, _, _, name) in TARGETS.items():
        path = pathlib.Path(folder) / archive(target)
        if not path.exists():
            continue
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                yield target, packed.read(name)
        else:
            with tarfile.open(path) as packed:
                yield target, packed.extractfile(name).read()
