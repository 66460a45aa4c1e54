import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Account } from "../../src/aws/cloud.ts";
import type { Patience } from "../../src/aws/patience.ts";
import type { Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";

export type Asked = {
  /** EC2's and STS's action, or S3's method and path: `PUT /bucket/key`. */
  readonly action: string;
  readonly parameters: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
};

export type Answer =
  | {
      readonly status?: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
      /** After the body, cut the connection or say nothing more. */
      readonly ending?: "cut" | "silence";
    }
  /** Cut the connection, or say nothing at all. */
  | "cut"
  | "silence";

export type ScriptedAws = AsyncDisposable & {
  readonly url: string;
  /** Every request, in the order in which they came. */
  readonly asked: readonly Asked[];
  account(account?: Account, patience?: Partial<Patience>): Provider;
};

/** A server that answers the SDK's requests as a test says. */
export async function startScriptedAws(
  answer: (asked: Asked, index: number) => Answer,
): Promise<ScriptedAws> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void readText(request).then((body) => {
      asked.push(toAsked(request, body));
      // `at` is the request just pushed.
      const [last] = asked.slice(-1);
      if (last) give(answer(last, asked.length - 1), response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
  return {
    url,
    asked,
    account: (account = { region: "us-east-1" }, patience = {}) =>
      toCloud({ endpointUrl: url, credentials }, { ...hasty, ...patience }).account(account),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };

/** Two tries, and pauses that a test does not notice. */
const hasty: Patience = {
  attempts: 2,
  silenceMs: 5_000,
  firstPauseMs: 1,
  longestPauseMs: 5,
  settleMs: 5_000,
  dependencyMs: 5_000,
};

/** Each action gets its answers in turn; the last one stays. */
export function turns(answers: Readonly<Record<string, readonly Answer[]>>): (asked: Asked) => Answer {
  const counts = new Map<string, number>();
  return ({ action }) => {
    const index = counts.get(action) ?? 0;
    counts.set(action, index + 1);
    const list = answers[action] ?? [];
    return list[index] ?? list.at(-1) ?? ec2Fault("InvalidAction", `${action} is not in the script`);
  };
}

/** What was asked for, in order. */
export function actions(asked: readonly Asked[]): string[] {
  return asked.map(({ action }) => action);
}

/** A fault in the shape that EC2 gives it. */
export function ec2Fault(code: string, message: string, status = 400): Answer {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, body: `<Response><Errors>${error}</Errors><RequestID>req-1</RequestID></Response>` };
}

/** A fault in the shape that S3 gives it. */
export function s3Fault(code: string, message: string, status: number, more = ""): Answer {
  const body = `<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>req-1</RequestId></Error>`;
  return { status, body };
}

/** A fault in the shape that STS gives it. */
export function stsFault(code: string, message: string, status: number): Answer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, body: `<ErrorResponse>${error}<RequestId>req-1</RequestId></ErrorResponse>` };
}

/** An answer of EC2 with these elements in it. */
export function ec2Answer(action: string, xml = "<return>true</return>"): Answer {
  return {
    body: `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${xml}</${action}Response>`,
  };
}

function toAsked(request: IncomingMessage, body: string): Asked {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const parameters = new URLSearchParams(body);
  const action = parameters.get("Action") ?? `${request.method} ${pathname}`;
  return { action, parameters, headers: request.headers };
}

function give(answer: Answer, response: ServerResponse): void {
  if (answer === "silence") return;
  if (answer === "cut") {
    response.destroy();
    return;
  }
  const { status = 200, headers = {}, body = "", ending } = answer;
  response.writeHead(status, { "content-type": "text/xml", ...headers });
  if (ending === undefined) response.end(body);
  else response.write(body, () => void (ending === "cut" && response.destroy()));
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("latin1")) text += chunk;
  return text;
}
