/// RFC 7396 with shared structure: what a patch does not touch stays the same object, so that views of it need no new
/// drawing. Objects have no prototype, as a member's name may well be `__proto__`.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Members = { [key: string]: Json };

function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The state after `patch`; neither argument is changed. `target` itself when the patch changes nothing. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isMembers(patch)) return patch;
  const before = isMembers(target) ? target : undefined;
  const after: Members = Object.create(null) as Members;
  if (before) for (const key of Object.keys(before)) after[key] = before[key]!;
  let changed = !before;
  for (const key of Object.keys(patch)) {
    const wanted = patch[key]!;
    if (wanted === null) {
      if (!(key in after)) continue;
      delete after[key];
      changed = true;
      continue;
    }
    const merged = mergePatch(after[key], wanted);
    if (merged === after[key]) continue;
    after[key] = merged;
    changed = true;
  }
  return changed ? after : before!;
}
