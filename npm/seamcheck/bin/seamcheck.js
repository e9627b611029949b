#!/usr/bin/env node
// Starts the binary of this platform, which npm installed as an optional dependency.
"use strict";

const { spawnSync } = require("node:child_process");

const platform = `${process.platform}-${process.arch}`;
const name = process.platform === "win32" ? "seamcheck.exe" : "seamcheck";

let binary = process.env.SEAMCHECK_BINARY;
if (!binary) {
  try {
    binary = require.resolve(`@seamcheck/${platform}/bin/${name}`);
  } catch {
    console.error(
      `seamcheck: there is no binary for ${platform} here.\n` +
        "If npm was told to leave optional dependencies out, install again with them.\n" +
        "Else `cargo install --git https://github.com/seamcheck/seamcheck` builds one; SEAMCHECK_BINARY says where it is.",
    );
    process.exit(2);
  }
}

const ended = spawnSync(binary, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
if (ended.error) {
  console.error(`seamcheck: ${binary} cannot be started: ${ended.error.message}`);
  process.exit(2);
}
if (ended.signal) {
  process.kill(process.pid, ended.signal);
}
process.exit(ended.status ?? 2);
