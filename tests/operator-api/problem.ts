import { HttpProblem } from '../reference-ca/http.ts';

export type ProblemName =
  | 'invalid-request'
  | 'not-found'
  | 'method-not-allowed'
  | 'unauthorised'
  | 'slot-taken'
  | 'in-progress'
  | 'not-cancellable'
  | 'idempotency-key-reused'
  | 'too-many-requests'
  | 'unavailable';

/** A problem with a name of the API's own, and what else it says. */
export class ApiProblem extends HttpProblem {
  constructor(
    status: number,
    name: ProblemName,
    detail: string,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(status, detail, headers, { type: `urn:problem-type:casupport:${name}`, ...members });
  }
}
