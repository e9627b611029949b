#!/usr/bin/env bash
# Scans, writes annotations, and leaves reports for the steps that follow. Everything comes in by the environment.
set -euo pipefail

fail() { printf '::error title=seamcheck::%s\n' "$*"; exit 2; }

out="${RUNNER_TEMP:-/tmp}/seamcheck-reports"
mkdir -p "$out"
rm -f "$out/seamcheck.sarif" # of an earlier step of the job
args=(--format github --color never --also "counts=$out/counts" --also "markdown=$out/summary.md")
if [[ "${IN_SARIF:-}" == true ]]; then
  args+=(--also "sarif=$out/seamcheck.sarif")
  if [[ -n "${IN_CATEGORY:-}" ]]; then args+=("--sarif-category=$IN_CATEGORY"); fi
fi
if [[ -n "${IN_PERSONA:-}" ]]; then args+=("--persona=$IN_PERSONA"); fi
if [[ -n "${IN_FAIL_ON:-}" ]]; then args+=("--fail-on=$IN_FAIL_ON"); fi
if [[ -n "${IN_BASELINE:-}" ]]; then args+=("--baseline=$IN_BASELINE"); fi
if [[ -n "${IN_CONFIG:-}" ]]; then args+=("--config=$IN_CONFIG"); fi

# What the change is measured against: of a pull request and of a merge queue its base, of a push what was there before,
# of a new branch the default one. What is not here is fetched, where that is allowed.
export GIT_TERMINAL_PROMPT=0
head="$(git rev-parse --quiet --verify HEAD 2>/dev/null || true)"
meets() { git merge-base "$1" HEAD >/dev/null 2>&1; }
bring() {
  if meets "$1"; then return 0; fi
  local depth
  for depth in 50 1000; do
    git fetch --quiet --no-tags --depth="$depth" origin "$head" "$1" >/dev/null 2>&1 || return 1
    if meets "$1"; then return 0; fi
  done
  return 1
}
is_sha() { [[ "$1" =~ ^[0-9a-f]{40,64}$ && "$1" =~ [^0] ]]; }
since=""
case "${IN_SCOPE:-new}" in
  all) ;;
  lines | files | new)
    if is_sha "${BASE_SHA:-}"; then
      # What is checked out for a pull request is its merge into the base: the base is the first parent. A checkout of
      # one commit does not say so.
      if [[ "$(git rev-parse --is-shallow-repository 2>/dev/null)" == true ]] && ! git cat-file -e 'HEAD^1' 2>/dev/null; then
        git fetch --quiet --no-tags --depth=2 origin "$head" >/dev/null 2>&1 || true
      fi
      if git cat-file -e 'HEAD^2^{commit}' 2>/dev/null && git cat-file -e 'HEAD^1^{commit}' 2>/dev/null; then
        since="$(git rev-parse 'HEAD^1')"
      elif bring "$BASE_SHA"; then
        since="$BASE_SHA"
      fi
    elif is_sha "${QUEUE_SHA:-}"; then
      if bring "$QUEUE_SHA"; then since="$QUEUE_SHA"; fi
    elif is_sha "${BEFORE_SHA:-}"; then
      if bring "$BEFORE_SHA"; then since="$BEFORE_SHA"; fi
    elif [[ -n "${BEFORE_SHA:-}" && -n "${DEFAULT_BRANCH:-}" ]]; then
      base="$(git ls-remote origin "refs/heads/$DEFAULT_BRANCH" 2>/dev/null | cut -f1)" || base=""
      if is_sha "$base" && [[ "$base" != "$head" ]] && bring "$base"; then since="$base"; fi
    fi
    if [[ -n "$since" ]]; then
      args+=("--since=$since" "--scope=${IN_SCOPE:-new}")
    elif [[ -n "${BASE_SHA:-}${QUEUE_SHA:-}${BEFORE_SHA:-}" ]]; then
      printf '::notice title=seamcheck::%s\n' "the base of the change is not here and cannot be fetched: everything is reported (actions/checkout with fetch-depth: 0 brings it)"
    fi
    ;;
  *) fail "scope is all, lines, files or new" ;;
esac

# One path a line; what looks like an option is none.
args+=(--)
while IFS= read -r path; do
  path="${path#"${path%%[![:space:]]*}"}"
  path="${path%"${path##*[![:space:]]}"}"
  if [[ -n "$path" ]]; then args+=("$path"); fi
done <<< "${IN_PATHS:-}"

code=0
seamcheck "${args[@]}" || code=$?
if [[ "$code" != 0 && "$code" != 1 ]]; then
  fail "the scan could not be done (exit code $code)"
fi
cat "$out/counts" >> "$GITHUB_OUTPUT"
{
  printf 'code=%s\n' "$code"
  printf 'summary=%s\n' "$out/summary.md"
  if [[ -f "$out/seamcheck.sarif" ]]; then printf 'sarif=%s\n' "$out/seamcheck.sarif"; fi
} >> "$GITHUB_OUTPUT"
if [[ "${IN_SUMMARY:-}" == true ]]; then
  cat "$out/summary.md" >> "$GITHUB_STEP_SUMMARY"
fi
