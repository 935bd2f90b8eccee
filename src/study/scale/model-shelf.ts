import type { OpenModel } from "../../engine/open-model.ts";

/** What can stand on a shelf. */
export interface ShelvedModel {
  /** Memory that it takes while it is open, bytes, about. */
  readonly bytes: number;
  readonly open: () => Promise<OpenModel>;
}

/** Models that are opened when they are first needed and stay open as long as there is room. */
export interface ModelShelf extends AsyncDisposable {
  /**
   * The open model of that name. To make room, models that were not used for longest are closed, but for those named in `beside`, which the
   * caller goes on using.
   *
   * @throws what opening throws
   */
  borrow(name: string, beside?: readonly string[]): Promise<OpenModel>;
  /** How often each model was opened. */
  readonly openings: ReadonlyMap<string, number>;
}

/**
 * Makes a shelf on which models of together at most `roomBytes` are open. Those that are used together are opened even where they are more:
 * there is no other way to use them.
 */
export function createModelShelf(models: ReadonlyMap<string, ShelvedModel>, roomBytes: number): ModelShelf {
  /** Least recently used first. */
  const standing = new Map<string, OpenModel>();
  const openings = new Map<string, number>();
  const bytesOf = (name: string): number => models.get(name)?.bytes ?? 0;
  const makeRoom = async (name: string, beside: readonly string[]): Promise<void> => {
    let taken = [...standing.keys()].reduce((sum, other) => sum + bytesOf(other), bytesOf(name));
    for (const [other, model] of [...standing]) {
      if (taken <= roomBytes) return;
      if (beside.includes(other)) continue;
      standing.delete(other);
      taken -= bytesOf(other);
      await model.close();
    }
  };
  return {
    openings,
    async borrow(name, beside = []) {
      const known = standing.get(name);
      if (known) {
        standing.delete(name);
        standing.set(name, known);
        return known;
      }
      await makeRoom(name, beside);
      const model = await (models.get(name) as ShelvedModel).open();
      openings.set(name, (openings.get(name) ?? 0) + 1);
      standing.set(name, model);
      return model;
    },
    async [Symbol.asyncDispose]() {
      const all = [...standing.values()];
      standing.clear();
      await Promise.all(all.map((model) => model.close()));
    },
  };
}
