import koffi, { type LibraryHandle } from "koffi";
import { mismatch, TrimtabError } from "../../errors.ts";
import { type EngineLibrary, engineRelease, libraryFile } from "../library.ts";
import { declareStructs } from "./structs.ts";

/** An address in native memory. */
export type Pointer = bigint;

/** llama_model_params, as far as we set it; the rest keeps the library's defaults. */
export interface ModelParams {
  n_gpu_layers: number;
  vocab_only: boolean;
  check_tensors: boolean;
  [field: string]: unknown;
}

/** llama_context_params, as far as we set it. */
export interface ContextParams {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_seq_max: number;
  n_outputs_max: number;
  n_outputs_max_per_seq: number;
  n_threads: number;
  n_threads_batch: number;
  cb_eval: Pointer | null;
  kv_unified: boolean;
  no_perf: boolean;
  [field: string]: unknown;
}

/** llama_batch: every array is native memory. */
export interface BatchStruct {
  n_tokens: number;
  token: Pointer | null;
  embd: Pointer | null;
  pos: Pointer | null;
  n_seq_id: Pointer | null;
  seq_id: Pointer | null;
  logits: Pointer | null;
}

type EvalCallback = (tensor: Pointer, ask: boolean) => boolean;

/** The functions of llama.cpp that Trimtab calls, typed. Names are llama.cpp's own without their prefix. */
export interface Llama {
  readonly library: EngineLibrary;
  version(): string;
  systemInfo(): string;
  devices(): readonly { readonly name: string; readonly description: string; readonly kind: string }[];
  modelDefaultParams(): ModelParams;
  contextDefaultParams(): ContextParams;
  /** `errors` holds what the library logged as errors on the way. */
  loadModel(path: string, params: ModelParams): { model: Pointer | null; errors: readonly string[] };
  /** Loads a model that is no file: `start` is a GGUF header, and `fill` is called for every tensor that the engine wants numbers for. */
  loadFrom(
    start: Uint8Array,
    fill: (tensor: Pointer) => void,
    params: ModelParams,
  ): { model: Pointer | null; errors: readonly string[] };
  freeModel(model: Pointer): void;
  /** Loads a low-rank adapter for a model, before any of its contexts is made; it is freed with the model. `model` is the adapter. */
  loadAdapter(model: Pointer, path: string): { model: Pointer | null; errors: readonly string[] };
  /** Puts these adapters, and no others, in force in a context. */
  setAdapters(context: Pointer, adapters: readonly Pointer[], scales: readonly number[]): number;
  modelVocab(model: Pointer): Pointer;
  modelInfo(model: Pointer): NativeModelInfo;
  chatTemplate(model: Pointer): string | null;
  vocabSize(vocab: Pointer): number;
  vocabSpecial(vocab: Pointer): { bos: number; eos: number; addBos: boolean; addEos: boolean };
  vocabAttributes(vocab: Pointer, token: number): number;
  isEndOfGeneration(vocab: Pointer, token: number): boolean;
  tokenize(vocab: Pointer, text: Uint8Array, out: Int32Array, addSpecial: boolean, parseSpecial: boolean): number;
  tokenToPiece(vocab: Pointer, token: number, out: Uint8Array, special: boolean): number;
  newContext(model: Pointer, params: ContextParams): Pointer | null;
  freeContext(context: Pointer): void;
  setThreads(context: Pointer, threads: number): void;
  memory(context: Pointer): Pointer | null;
  memoryClear(memory: Pointer): void;
  memoryRemove(memory: Pointer, sequence: number, from: number, to: number): boolean;
  decode(context: Pointer, batch: BatchStruct): number;
  logitsAt(context: Pointer, index: number): Pointer | null;
  setControlVector(
    context: Pointer,
    data: Float32Array | null,
    width: number,
    firstLayer: number,
    lastLayer: number,
  ): number;
  registerEvalCallback(callback: EvalCallback): Pointer;
  unregister(callback: Pointer): void;
  tensorName(tensor: Pointer): string;
  tensorElements(tensor: Pointer): number;
  tensorRows(tensor: Pointer): number;
  /** ggml_type of a tensor; 0 is F32. */
  tensorType(tensor: Pointer): number;
  tensorBytes(tensor: Pointer): number;
  tensorFill(tensor: Pointer, data: Uint8Array, offset: number): void;
  tensorRead(tensor: Pointer, out: Float32Array): void;
  tensorWrite(tensor: Pointer, data: Float32Array): void;
  samplerChain(): Pointer;
  samplerAdd(chain: Pointer, sampler: Pointer): void;
  samplerFree(chain: Pointer): void;
  samplerSample(chain: Pointer, context: Pointer, index: number): number;
  samplerAccept(chain: Pointer, token: number): void;
  samplers: {
    greedy(): Pointer;
    dist(seed: number): Pointer;
    topK(k: number): Pointer;
    topP(p: number): Pointer;
    minP(p: number): Pointer;
    temperature(t: number): Pointer;
    penalties(vocabulary: number, lastN: number, repeat: number, frequency: number, presence: number): Pointer;
  };
}

export interface NativeModelInfo {
  readonly trainedContext: number;
  readonly width: number;
  readonly blocks: number;
  readonly heads: number;
  readonly headsKv: number;
  readonly parameters: number;
  readonly quantisation: string;
  readonly hasEncoder: boolean;
  readonly hasDecoder: boolean;
  readonly isRecurrent: boolean;
  readonly isHybrid: boolean;
}

let loaded: { folder: string; llama: Llama } | undefined;

/**
 * Loads the shared libraries and declares what we call. Once per thread: a second folder in the same thread is refused.
 *
 * @throws engine if a library cannot be loaded, or is not the release whose struct layouts are declared here
 */
export function loadLlama(library: EngineLibrary): Llama {
  if (loaded?.folder === library.folder) return loaded.llama;
  if (loaded) throw mismatch("internal", "engine", `one library folder, ${loaded.folder}`, library.folder);
  const llama = declareOf(library);
  checkRelease(llama);
  loaded = { folder: library.folder, llama };
  return llama;
}

/** Struct layouts are by value: a different release would read garbage, so its version and some defaults must be as expected. */
function checkRelease(llama: Llama): void {
  const version = llama.version();
  const context = llama.contextDefaultParams();
  const model = llama.modelDefaultParams();
  const asExpected =
    context.n_ctx === 512 &&
    context.n_batch === 2048 &&
    context.n_ubatch === 512 &&
    context["swa_full"] === true &&
    context.kv_unified === false &&
    context["yarn_ext_factor"] === -1 &&
    model.n_gpu_layers === -1 &&
    model["use_extra_bufts"] === true &&
    model["load_mtp"] === false;
  if (version.replace(/^v/, "").startsWith(engineRelease) && asExpected) return;
  throw mismatch("engine", `engine in ${llama.library.folder}`, `llama.cpp release ${engineRelease}`, version, {
    hint: "build exactly that release, or unset TRIMTAB_LLAMA_DIR to use the packaged one",
  });
}

function declareOf(library: EngineLibrary): Llama {
  try {
    return declare(library);
  } catch (cause) {
    if (cause instanceof TrimtabError) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw mismatch("engine", `engine in ${library.folder}`, `the functions of llama.cpp ${engineRelease}`, text, {
      hint: "it is another library or another release; unset TRIMTAB_LLAMA_DIR to use the packaged one",
      cause,
    });
  }
}

function open(path: string, options?: { global: boolean }): LibraryHandle {
  try {
    return koffi.load(path, options);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TrimtabError("engine", `engine: expected to load ${path}, got: ${text}`, {
      hint: "run `trimtab doctor`",
      cause,
    });
  }
}

function declare(library: EngineLibrary): Llama {
  // Order matters: each library needs the symbols of the one before.
  const base = open(libraryFile(library.folder, "ggml-base"), { global: true });
  const ggml = open(libraryFile(library.folder, "ggml"), { global: true });
  const lib = open(libraryFile(library.folder, "llama"), { global: true });

  declareStructs();
  const evalCallback = koffi.proto("bool trimtab_eval(void *tensor, bool ask, void *data)");
  const logCallback = koffi.proto("void trimtab_log(int level, const char *text, void *data)");

  const logSet = lib.func("void llama_log_set(void *callback, void *data)");
  // A JavaScript log callback would deadlock when a compute thread logs while this thread waits for it. A native function
  // that does nothing (ggml_time_init has no effect after the first call) silences the library without that risk.
  const silence: Pointer = base.symbol("ggml_time_init");
  logSet(silence, null);
  ggml.func("void ggml_backend_load_all_from_path(const char *folder)")(library.folder);
  lib.func("void llama_backend_init(void)")();

  const deviceCount = ggml.func("size_t ggml_backend_dev_count(void)");
  if (Number(deviceCount()) === 0)
    throw mismatch("engine", `engine in ${library.folder}`, "a library of a backend, such as libggml-cpu", "none", {
      hint: "copy the backends of your build beside libllama, or unset TRIMTAB_LLAMA_DIR",
    });
  const deviceAt = ggml.func("void *ggml_backend_dev_get(size_t index)");
  const deviceName = base.func("const char *ggml_backend_dev_name(void *device)");
  const deviceDescription = base.func("const char *ggml_backend_dev_description(void *device)");
  const deviceType = base.func("int ggml_backend_dev_type(void *device)");

  const vocabBos = lib.func("int32_t llama_vocab_bos(void *vocab)");
  const vocabEos = lib.func("int32_t llama_vocab_eos(void *vocab)");
  const vocabAddBos = lib.func("bool llama_vocab_get_add_bos(void *vocab)");
  const vocabAddEos = lib.func("bool llama_vocab_get_add_eos(void *vocab)");
  const integerOf = (name: string) => lib.func(`int32_t llama_model_${name}(void *model)`);
  const flagOf = (name: string) => lib.func(`bool llama_model_${name}(void *model)`);
  const trainedContext = integerOf("n_ctx_train");
  const width = integerOf("n_embd");
  const blocks = integerOf("n_layer");
  const heads = integerOf("n_head");
  const headsKv = integerOf("n_head_kv");
  const parameters = lib.func("uint64_t llama_model_n_params(void *model)");
  const fileType = lib.func("int llama_model_ftype(void *model)");
  const fileTypeName = lib.func("const char *llama_ftype_name(int ftype)");
  const hasEncoder = flagOf("has_encoder");
  const hasDecoder = flagOf("has_decoder");
  const isRecurrent = flagOf("is_recurrent");
  const isHybrid = flagOf("is_hybrid");

  const tokenize = lib.func(
    "int32_t llama_tokenize(void *vocab, const void *text, int32_t length, _Out_ int32_t *tokens, int32_t max, bool add_special, bool parse_special)",
  );
  const tokenToPiece = lib.func(
    "int32_t llama_token_to_piece(void *vocab, int32_t token, _Out_ void *buffer, int32_t length, int32_t lstrip, bool special)",
  );
  const fillCallback = koffi.proto("void trimtab_fill(void *tensor, void *data)");
  const ggufFrom = base.func("void *gguf_init_from_buffer(const void *data, size_t size, gguf_init_params params)");
  const ggufFree = base.func("void gguf_free(void *gguf)");
  const loadFromUser = lib.func(
    "void *llama_model_init_from_user(void *metadata, void *fill, void *data, llama_model_params params)",
  );
  const bytesOf = base.func("size_t ggml_nbytes(void *tensor)");
  const loadModel = lib.func("void *llama_model_load_from_file(const char *path, llama_model_params params)");
  const chatTemplate = lib.func("const char *llama_model_chat_template(void *model, const char *name)");
  const setThreads = lib.func("void llama_set_n_threads(void *context, int32_t single, int32_t batch)");
  const memoryClear = lib.func("void llama_memory_clear(void *memory, bool data)");
  const setControlVector = lib.func(
    "int32_t llama_set_adapter_cvec(void *context, const float *data, size_t length, int32_t width, int32_t first, int32_t last)",
  );
  const loadAdapter = lib.func("void *llama_adapter_lora_init(void *model, const char *path)");
  const setAdapters = lib.func(
    "int32_t llama_set_adapters_lora(void *context, const uint64_t *adapters, size_t count, const float *scales)",
  );
  const elements = base.func("int64_t ggml_nelements(void *tensor)");
  const rows = base.func("int64_t ggml_nrows(void *tensor)");
  const tensorGet = base.func(
    "void ggml_backend_tensor_get(void *tensor, _Out_ void *data, size_t offset, size_t size)",
  );
  const tensorSet = base.func(
    "void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size)",
  );
  const chainDefault = lib.func("llama_sampler_chain_params llama_sampler_chain_default_params(void)");
  const chainInit = lib.func("void *llama_sampler_chain_init(llama_sampler_chain_params params)");
  const topK = lib.func("void *llama_sampler_init_top_k(int32_t k)");
  const topP = lib.func("void *llama_sampler_init_top_p(float p, size_t keep)");
  const minP = lib.func("void *llama_sampler_init_min_p(float p, size_t keep)");
  const penalties = lib.func(
    "void *llama_sampler_init_penalties(int32_t vocabulary, int32_t last_n, float repeat, float freq, float present)",
  );

  /** Loading logs from this very thread, so here a callback is safe, and it is the only way to learn the reason. */
  const hearingErrors = (load: () => Pointer | null): { model: Pointer | null; errors: readonly string[] } => {
    const errors: string[] = [];
    const listener = koffi.register((level: number, text: string) => {
      if (level === 4 && errors.length < 20) errors.push(text);
    }, koffi.pointer(logCallback));
    logSet(listener, null);
    try {
      return { model: load(), errors };
    } finally {
      logSet(silence, null);
      koffi.unregister(listener);
    }
  };

  return {
    library,
    version: lib.func("const char *llama_version(void)"),
    systemInfo: lib.func("const char *llama_print_system_info(void)"),
    devices: () =>
      Array.from({ length: Number(deviceCount()) }, (_, index) => {
        const device: Pointer = deviceAt(index);
        const kinds = ["CPU", "GPU", "integrated GPU", "accelerator"];
        return {
          name: deviceName(device),
          description: deviceDescription(device),
          kind: kinds[deviceType(device)] ?? "other",
        };
      }),
    modelDefaultParams: lib.func("llama_model_params llama_model_default_params(void)"),
    contextDefaultParams: lib.func("llama_context_params llama_context_default_params(void)"),
    loadModel: (path, params) => hearingErrors(() => loadModel(path, params)),
    loadFrom: (start, fill, params) =>
      hearingErrors(() => {
        const gguf: Pointer | null = ggufFrom(start, start.length, { no_alloc: true, ctx: null });
        if (!gguf) return null;
        const listener = koffi.register(fill, koffi.pointer(fillCallback));
        try {
          return loadFromUser(gguf, listener, null, params);
        } finally {
          koffi.unregister(listener);
          ggufFree(gguf);
        }
      }),
    freeModel: lib.func("void llama_model_free(void *model)"),
    loadAdapter: (model, path) => hearingErrors(() => loadAdapter(model, path)),
    setAdapters: (context, adapters, scales) =>
      setAdapters(context, BigUint64Array.from(adapters), adapters.length, Float32Array.from(scales)),
    modelVocab: lib.func("void *llama_model_get_vocab(void *model)"),
    modelInfo: (model) => ({
      // A file may claim more than an int32 holds: as good as unknown.
      trainedContext: Math.max(0, trainedContext(model)),
      width: width(model),
      blocks: blocks(model),
      heads: heads(model),
      headsKv: headsKv(model),
      parameters: Number(parameters(model)),
      quantisation: fileTypeName(fileType(model)),
      hasEncoder: hasEncoder(model),
      hasDecoder: hasDecoder(model),
      isRecurrent: isRecurrent(model),
      isHybrid: isHybrid(model),
    }),
    chatTemplate: (model) => chatTemplate(model, null),
    vocabSize: lib.func("int32_t llama_vocab_n_tokens(void *vocab)"),
    vocabSpecial: (vocab) => ({
      bos: vocabBos(vocab),
      eos: vocabEos(vocab),
      addBos: vocabAddBos(vocab),
      addEos: vocabAddEos(vocab),
    }),
    vocabAttributes: lib.func("int llama_vocab_get_attr(void *vocab, int32_t token)"),
    isEndOfGeneration: lib.func("bool llama_vocab_is_eog(void *vocab, int32_t token)"),
    tokenize: (vocab, text, out, addSpecial, parseSpecial) =>
      tokenize(vocab, text, text.length, out, out.length, addSpecial, parseSpecial),
    tokenToPiece: (vocab, token, out, special) => tokenToPiece(vocab, token, out, out.length, 0, special),
    newContext: lib.func("void *llama_init_from_model(void *model, llama_context_params params)"),
    freeContext: lib.func("void llama_free(void *context)"),
    setThreads: (context, threads) => setThreads(context, threads, threads),
    memory: lib.func("void *llama_get_memory(void *context)"),
    memoryClear: (memory) => memoryClear(memory, false),
    memoryRemove: lib.func("bool llama_memory_seq_rm(void *memory, int32_t sequence, int32_t from, int32_t to)"),
    decode: lib.func("int32_t llama_decode(void *context, llama_batch batch)"),
    logitsAt: lib.func("void *llama_get_logits_ith(void *context, int32_t index)"),
    setControlVector: (context, data, n, first, last) =>
      setControlVector(context, data, data?.length ?? 0, n, first, last),
    registerEvalCallback: (callback) => koffi.register(callback, koffi.pointer(evalCallback)),
    unregister: (callback) => koffi.unregister(callback),
    tensorName: base.func("const char *ggml_get_name(void *tensor)"),
    tensorElements: (tensor) => Number(elements(tensor)),
    tensorRows: (tensor) => Number(rows(tensor)),
    tensorType: (tensor) => koffi.decode(tensor, "int32_t"),
    tensorBytes: (tensor) => Number(bytesOf(tensor)),
    tensorFill: (tensor, data, offset) => tensorSet(tensor, data, offset, data.byteLength),
    tensorRead: (tensor, out) => tensorGet(tensor, out, 0, out.byteLength),
    tensorWrite: (tensor, data) => tensorSet(tensor, data, 0, data.byteLength),
    samplerChain: () => chainInit(chainDefault()),
    samplerAdd: lib.func("void llama_sampler_chain_add(void *chain, void *sampler)"),
    samplerFree: lib.func("void llama_sampler_free(void *sampler)"),
    samplerSample: lib.func("int32_t llama_sampler_sample(void *sampler, void *context, int32_t index)"),
    samplerAccept: lib.func("void llama_sampler_accept(void *sampler, int32_t token)"),
    samplers: {
      greedy: lib.func("void *llama_sampler_init_greedy(void)"),
      dist: lib.func("void *llama_sampler_init_dist(uint32_t seed)"),
      topK,
      topP: (p) => topP(p, 1),
      minP: (p) => minP(p, 1),
      temperature: lib.func("void *llama_sampler_init_temp(float t)"),
      penalties,
    },
  };
}
