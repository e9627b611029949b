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

# What the change is measured against: of a pull request its base, of a push what was there before.
has() { git cat-file -e "$1^{commit}" 2>/dev/null; }
since=""
case "${IN_SCOPE:-new}" in
  all) ;;
  lines | files | new)
    if [[ -n "${BASE_SHA:-}" ]]; then
      # What is checked out for a pull request is its merge into the base: the base is the first parent.
      if git rev-parse --quiet --verify 'HEAD^2' >/dev/null && has 'HEAD^1'; then
        since="$(git rev-parse 'HEAD^1')"
      elif has "$BASE_SHA" && git merge-base "$BASE_SHA" HEAD >/dev/null 2>&1; then
        since="$BASE_SHA"
      fi
    elif [[ -n "${BEFORE_SHA:-}" && "$BEFORE_SHA" =~ [^0] ]] && has "$BEFORE_SHA"; then
      since="$BEFORE_SHA"
    fi
    if [[ -n "$since" ]]; then
      args+=("--since=$since" "--scope=${IN_SCOPE:-new}")
    elif [[ -n "${BASE_SHA:-}${BEFORE_SHA:-}" ]]; then
      printf '::notice title=seamcheck::%s\n' "the base of the change is not here: everything is reported (actions/checkout with fetch-depth: 2 brings it)"
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
