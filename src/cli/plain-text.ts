/**
 * Replaces control characters but line breaks and tabs by spaces: names in strangers' files and the text of models reach the terminal,
 * where an escape sequence could move the cursor, set the title or fake output.
 */
export function toPlainText(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}/gu, " ");
}
