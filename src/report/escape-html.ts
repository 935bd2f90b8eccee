const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes any text safe inside HTML or SVG elements and quoted attributes. Everything that a model, a file or a user wrote goes through here.
 *
 * Control characters that no HTML may carry become `�`.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(/\p{Cc}/gu, (character) => (/[\t\n\r]/.test(character) ? character : "�"));
}
