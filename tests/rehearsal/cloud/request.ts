// Asks a simulated service without a door.
import type { CloudRequest, CloudResponse, Place, Service } from "../../../rehearsal/cloud/types.ts";
import { ServiceError } from "../../../rehearsal/cloud/types.ts";

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, parameters as a form. */
  readonly body?: object | string | URLSearchParams;
  readonly place?: Place;
  readonly address?: string;
}

/** The answer with its body as an object where it is one. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
  readonly body: any;
}

/** Sends a request; a ServiceError is an answer like any other. */
export async function ask(service: Service, method: string, url: string, question: Question = {}): Promise<Answer> {
  const { body = "" } = question;
  const text =
    typeof body === "string" ? body : body instanceof URLSearchParams ? body.toString() : JSON.stringify(body);
  const request: CloudRequest = {
    method,
    url: new URL(url),
    headers: {
      "user-agent": "test",
      ...(typeof body === "object" && !(body instanceof URLSearchParams) ? { "content-type": "application/json" } : {}),
      ...question.headers,
    },
    body: Buffer.from(text),
    place: question.place ?? "outside",
    address: question.address ?? "203.0.113.10",
  };
  let response: CloudResponse;
  try {
    response = await service(request);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    response = error.response;
  }
  return { status: response.status, headers: response.headers ?? {}, body: response.body };
}
