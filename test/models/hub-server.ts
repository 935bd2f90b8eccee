import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Which of the hub's addresses a request went to. `cdn` is another origin, to which `resolve` redirects. */
export type Route = "info" | "paths" | "tree" | "resolve" | "cdn";

export interface SeenRequest {
  readonly route: Route;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers a request in the server's stead when it returns true. */
export type Intercept = (seen: SeenRequest, response: ServerResponse, times: number) => boolean;

export const commit = "0123456789abcdef0123456789abcdef01234567";
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Digest of a file. Files are compared by it: comparing buffers byte by byte takes vitest seconds. */
export const digestOf = async (path: string): Promise<string> => sha256(await readFile(path));

/** A GGUF-looking file of `size` bytes whose content depends on `seed`. */
export function fakeGguf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8) * seed + seed) & 255;
  bytes.write("GGUF", 0, "latin1");
  return bytes;
}

interface Stored {
  readonly bytes: Buffer;
  readonly lfs: boolean;
  /** What the repository claims, if not the truth. */
  readonly digest: string;
  readonly size: number;
}

/** A server on this machine that speaks the hub's protocol for one repository, `owner/repo`, with one commit. */
export class HubServer {
  readonly seen: SeenRequest[] = [];
  readonly files: Map<string, Stored> = new Map();
  intercept: Intercept | undefined;
  token: string | undefined;
  gated = false;
  endpoint = "";
  #cdn = "";
  #servers: Server[] = [];

  static async open(): Promise<HubServer> {
    const hub = new HubServer();
    hub.endpoint = await hub.#listen((request, response) => hub.#answer(request, response));
    hub.#cdn = await hub.#listen((request, response) => hub.#answerCdn(request, response));
    return hub;
  }

  put(path: string, bytes: Buffer, claims: { lfs?: boolean; digest?: string; size?: number } = {}): this {
    const lfs = claims.lfs ?? true;
    const git = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    this.files.set(path, {
      bytes,
      lfs,
      digest: claims.digest ?? (lfs ? sha256(bytes) : git),
      size: claims.size ?? bytes.length,
    });
    return this;
  }

  count(route: Route): number {
    return this.seen.filter((request) => request.route === route).length;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  async #listen(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(listener);
    this.#servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #note(route: Route, request: IncomingMessage, response: ServerResponse): boolean {
    const { range, authorization } = request.headers;
    const seen = { route, path: request.url ?? "", range, authorization };
    const times = this.count(route);
    this.seen.push(seen);
    return this.intercept?.(seen, response, times) ?? false;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.endpoint);
    const api = /^\/api\/models\/owner\/repo\/(revision|paths-info|tree)\/([^/]+)$/.exec(url.pathname);
    const resolve = /^\/owner\/repo\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const route = ({ revision: "info", "paths-info": "paths", tree: "tree" } as const)[api?.[1] ?? ""] ?? "resolve";
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (this.#note(route, request, response)) return;
      const allowed = this.token === undefined || request.headers.authorization === `Bearer ${this.token}`;
      if (!allowed && (!this.gated || route === "resolve"))
        return refuse(response, this.gated ? 403 : 401, this.gated ? "GatedRepo" : "RepoNotFound");
      if (!api && !resolve) return refuse(response, 404, "RepoNotFound");
      const revision = decodeURIComponent(api?.[2] ?? resolve?.[1] ?? "");
      if (!["main", "refs/pr/1", commit].includes(revision)) return refuse(response, 404, "RevisionNotFound");
      if (route === "info") return json(response, { _id: "1", id: "owner/repo", sha: commit, private: false });
      const entries = [...this.files].map(([path, { lfs, digest, size }]) => ({
        type: "file",
        path,
        size,
        oid: lfs ? "f".repeat(40) : digest,
        ...(lfs && { lfs: { oid: digest, size, pointerSize: 130 } }),
      }));
      if (route === "tree") return this.#page(url, entries, response);
      if (route === "paths") {
        const { paths } = JSON.parse(body) as { paths: string[] };
        return json(
          response,
          entries.filter((entry) => paths.includes(entry.path)),
        );
      }
      const name = decodeURIComponent(resolve![2]!);
      const file = this.files.get(name);
      if (!file) return refuse(response, 404, "EntryNotFound");
      if (!file.lfs) return sendRange(request, response, file.bytes);
      response.writeHead(302, {
        Location: `${this.#cdn}/cdn/${encodeURIComponent(name)}`,
        "X-Repo-Commit": commit,
        "X-Linked-Etag": `"${file.digest}"`,
        "X-Linked-Size": String(file.size),
      });
      response.end();
    });
  }

  /** Two entries a page, as the hub pages long lists: by a Link header. */
  #page(url: URL, entries: readonly object[], response: ServerResponse): void {
    const start = Number(url.searchParams.get("cursor") ?? 0);
    url.searchParams.set("cursor", String(start + 2));
    if (start + 2 < entries.length) response.setHeader("Link", `<${url.href}>; rel="next"`);
    json(response, entries.slice(start, start + 2));
  }

  #answerCdn(request: IncomingMessage, response: ServerResponse): void {
    if (this.#note("cdn", request, response)) return;
    const file = this.files.get(decodeURIComponent((request.url ?? "").slice("/cdn/".length)));
    if (file) sendRange(request, response, file.bytes);
    else refuse(response, 404, "");
  }
}

/** Sends a file, or the part of it that the request's Range asks for. */
export function sendRange(
  request: { headers: { range?: string | undefined } },
  response: ServerResponse,
  bytes: Buffer,
): void {
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  if (start === undefined) {
    response.writeHead(200, { "Content-Length": bytes.length });
    response.end(bytes);
    return;
  }
  if (Number(start) >= bytes.length) {
    response.writeHead(416, { "Content-Range": `bytes */${bytes.length}` });
    response.end();
    return;
  }
  const rest = bytes.subarray(Number(start));
  response.writeHead(206, {
    "Content-Length": rest.length,
    "Content-Range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
  });
  response.end(rest);
}

/** Sends the first `count` bytes under the length of all, then cuts the connection. */
export function sendTruncated(response: ServerResponse, bytes: Buffer, count: number): void {
  response.writeHead(200, { "Content-Length": bytes.length });
  response.write(bytes.subarray(0, count), () => setTimeout(() => response.destroy(), 20));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "X-Error-Code": code, "Content-Type": "application/json" });
  response.end(JSON.stringify({ error: code }));
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
}
