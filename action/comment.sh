#!/usr/bin/env bash
# Writes the summary as a comment on the pull request, or rewrites the one that is there. Everything comes in by the
# environment. A token that may not comment (of a pull request from a fork) is no failure.
set -euo pipefail

[[ "$NUMBER" =~ ^[0-9]+$ ]] || { printf '%s\n' "seamcheck: this is no pull request"; exit 0; }
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
mark='<!-- seamcheck -->'
# Several uses in one pull request keep a comment each.
name="${CATEGORY:-${IN_PATHS:-}}"
name="${name//[^A-Za-z0-9\/._-]/}"
if [[ -n "$name" ]]; then
  mark="<!-- seamcheck $name -->"
  { printf '%s\n' "$mark"; cat "$SUMMARY"; } > "$SUMMARY.comment"
  SUMMARY="$SUMMARY.comment"
fi
ours() { printf '[.[] | select(.user.type == "Bot" and (.body | startswith("%s")))][0].id // empty' "$mark"; }
given_up() { printf '::notice title=seamcheck::%s\n' "no comment: the token may not write to pull requests"; exit 0; }

id="$(gh api --paginate "$comments" --jq "$(ours)" | head -n 1)" || given_up
if [[ -n "$id" ]]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$SUMMARY" --silent || given_up
elif [[ "$FINDINGS" != 0 ]]; then
  gh api --method POST "$comments" --field "body=@$SUMMARY" --silent || given_up
fi
