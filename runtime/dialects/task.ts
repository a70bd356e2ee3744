/** The contract of operations without a conversation: embeddings, moderation, images, speech and the like. Pure, as dialects are. */
import type { JsonObject, Part, Usage } from '../call.ts';
import type { SseMessage } from './dialect.ts';

/** What the gateway reads of a request, whatever it asks for. */
export interface Task {
  /** The name the client asked for. */
  readonly model: string;
  /** What policies judge. */
  readonly parts: readonly Part[];
  /** Most tokens of one answer, and how many answers, where the client says. */
  readonly maxOutputTokens?: number | undefined;
  readonly answers?: number | undefined;
  /** The client asks for events. */
  readonly stream: boolean;
}

/** The client's side of one operation. */
export interface ClientTask {
  readonly name: string;
  /** `fields`: the body, or of a form what stands in it as text. Throws `CallError` naming the field. */
  readTask(fields: JsonObject): Task;
  /** The same body for a vendor of the same words; without it, only the field `model` becomes the vendor's. */
  rewrite?(body: JsonObject, model: string): JsonObject;
  /** Where the operation has neutral terms, so that vendors of another dialect can answer it. */
  readonly embeddings?: ClientEmbeddings;
  readonly rerank?: ClientRerank;
}

/** The vendor's side of one operation. A client's operation of the same name reaches it untouched. */
export interface VendorTask {
  readonly name: string;
  /** The usage that a complete JSON answer tells of; throws `TypeError` when it is no answer. */
  readAnswer(body: JsonObject): Usage | undefined;
  /** The usage that one event of an answer tells of. */
  readEvent(data: JsonObject): Usage | undefined;
  /** Whether an answer is complete with this event. */
  isEnd(message: SseMessage): boolean;
  readonly embeddings?: VendorEmbeddings;
  readonly rerank?: VendorRerank;
}

/** What vectors are for: some models make others for a question than for what answers it. */
export type Purpose =
  | 'query'
  | 'document'
  | 'similarity'
  | 'classification'
  | 'clustering'
  | 'question'
  | 'verification'
  | 'code';

/** Texts, or texts already cut into tokens, to be made into vectors. */
export interface EmbeddingCall {
  readonly inputs: readonly (string | readonly number[])[];
  readonly dimensions?: number;
  /** `field` is the client's, for whoever cannot carry it. */
  readonly purpose?: { readonly word: Purpose; readonly field: string };
  /** An id of the end user, as the client gave it. */
  readonly user?: string;
  /** Request fields that have no neutral meaning. */
  readonly untranslated: readonly string[];
}

export interface EmbeddingAnswer {
  /** The vendor's own model id, where the answer has it. */
  readonly model?: string;
  /** One for each input, in their order. */
  readonly vectors: readonly (readonly number[])[];
  readonly usage?: Usage;
}

export interface ClientEmbeddings {
  readCall(body: JsonObject): EmbeddingCall;
  /** `body` is the client's request: it says how vectors are to be written, and the model where the answer does not. */
  writeAnswer(answer: EmbeddingAnswer, body: JsonObject): JsonObject;
}

export interface VendorEmbeddings {
  /** A call with more inputs becomes several requests. Without it, one takes any number. */
  mostInputs?(model: string): number;
  /** Throws `CallError` for what no vendor of this dialect takes. */
  writeCall(call: EmbeddingCall, model: string): { readonly body: JsonObject; readonly dropped: readonly string[] };
  /** Throws `TypeError` when the body is no answer. Some vendors count tokens in a header. */
  readAnswer(body: JsonObject, headers: AnswerHeaders): EmbeddingAnswer;
}

/** Of an answer; lower-case names. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Texts to be put in order of how well they answer. */
export interface RerankCall {
  readonly query: string;
  readonly documents: readonly string[];
  /** How many to tell of; without it, of all. */
  readonly most?: number;
  readonly untranslated: readonly string[];
}

export interface RerankAnswer {
  readonly model?: string;
  /** Best first; `index` counts the documents of the call. */
  readonly results: readonly { readonly index: number; readonly score: number }[];
  readonly usage?: Usage;
}

export interface ClientRerank {
  readCall(body: JsonObject): RerankCall;
  /** `body` is the client's request: the documents stand there. */
  writeAnswer(answer: RerankAnswer, body: JsonObject): JsonObject;
}

export interface VendorRerank {
  writeCall(call: RerankCall, model: string): { readonly body: JsonObject; readonly dropped: readonly string[] };
  /** Throws `TypeError` when the body is no answer. */
  readAnswer(body: JsonObject): RerankAnswer;
}
