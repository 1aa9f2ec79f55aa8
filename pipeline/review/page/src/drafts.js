// What a reviewer had chosen for a patch, kept in this browser until the server has it.

const name = (patchId) => `draft ${patchId}`;

export function keepDraft(patchId, draft) {
  try { localStorage.setItem(name(patchId), JSON.stringify(draft)); } catch { /* a browser that keeps nothing */ }
}

export function draftOf(patchId) {
  try { return JSON.parse(localStorage.getItem(name(patchId)) ?? 'null'); } catch { return null; }
}

export function dropDraft(patchId) {
  try { localStorage.removeItem(name(patchId)); } catch { /* a browser that keeps nothing */ }
}
