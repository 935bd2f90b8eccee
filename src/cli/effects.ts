/** Somewhere to write text. */
export interface TextSink {
  write(text: string): void;
}

/** The world as a command sees it: given, so that tests can give another. */
export interface Effects {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires at Ctrl-C and when the system asks the program to end. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean };
  /** Bytes of memory that this process may still take. */
  readonly freeBytes: () => number;
  /** Characters in a line of the terminal. */
  readonly columns: number;
}
