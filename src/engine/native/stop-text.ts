/**
 * Text of a generation that must not show a stop string: text that may be the beginning of one is held back until it is certain.
 */
export class StopText {
  private readonly stops: readonly string[];
  private held = "";
  private shown = "";

  constructor(stops: readonly string[]) {
    this.stops = stops;
  }

  /** All text that was let through so far. */
  get value(): string {
    return this.shown;
  }

  /** Adds text; returns what can be shown now, and whether a stop string was met. */
  push(text: string): { readonly text: string; readonly isStopped: boolean } {
    this.held += text;
    const found = this.stops.map((stop) => this.held.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      const before = this.held.slice(0, Math.min(...found));
      this.held = "";
      this.shown += before;
      return { text: before, isStopped: true };
    }
    const certain = this.held.length - this.uncertain();
    const show = this.held.slice(0, certain);
    this.held = this.held.slice(certain);
    this.shown += show;
    return { text: show, isStopped: false };
  }

  /** The generation is over: what was held back is text after all. */
  end(rest: string): string {
    const show = this.held + rest;
    this.held = "";
    this.shown += show;
    return show;
  }

  /** Length of the longest end of the held text that begins a stop string. */
  private uncertain(): number {
    let longest = 0;
    for (const stop of this.stops)
      for (let length = Math.min(stop.length - 1, this.held.length); length > longest; length--)
        if (this.held.endsWith(stop.slice(0, length))) longest = length;
    return longest;
  }
}
