import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const documentFile = path.resolve(import.meta.dirname, '../../public/openapi.yaml');

type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };
type JsonObject = Readonly<Record<string, Json>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}
interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
  readonly pathNames: readonly string[];
  readonly pointer: string;
  readonly parameters: readonly (Parameter & { readonly pointer: string })[];
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const escaped = (token: string): string => token.replaceAll('~', '~0').replaceAll('/', '~1');

/** Members that a schema does not name are let pass by the document, for its future; what is made here has none. */
function closed(value: Json, inside: 'allOf' | 'schema' = 'schema'): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => closed(item, inside));
  if (!isObject(value)) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, closed(member, name === 'allOf' ? 'allOf' : 'schema')]),
  );
  const open = 'properties' in value || 'allOf' in value;
  const isOpen = open && inside !== 'allOf' && !('additionalProperties' in value) && value['type'] !== undefined;
  return isOpen || 'allOf' in value ? { ...members, unevaluatedProperties: false } : members;
}

/** What the document says, and whether what goes over the wire is so. */
export class Contract {
  readonly operations: readonly Operation[];
  /** `operationId status` of every answer that was checked. */
  readonly seen = new Set<string>();
  readonly #document: JsonObject;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();

  /** @param source YAML of an OpenAPI 3.1 document */
  constructor(source: string) {
    const document = parse(source) as JsonObject;
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
    // Its types say that it is the module's default; Node takes the module for it.
    const add = addFormats as unknown as { readonly default: (ajv: Ajv2020) => void };
    add.default(this.#ajv);
    // A base schema that others are made of by allOf has to stay open; whoever uses it alone closes it.
    const components = { ...(closed(document) as JsonObject) };
    this.#ajv.addSchema(openBases(components), 'document');
    this.operations = this.#readOperations();
  }

  static async read(): Promise<Contract> {
    return new Contract(await readFile(documentFile, 'utf8'));
  }

  /** Every status the document names by number: `operationId status`. */
  get documented(): readonly string[] {
    return this.operations.flatMap(({ id, pointer }) =>
      Object.keys(this.#object(`${pointer}/responses`))
        .filter((status) => status !== 'default')
        .map((status) => `${id} ${status}`),
    );
  }

  /** The operation of a request. @throws Error when there is none */
  operationOf(method: string, pathname: string): Operation {
    const found = this.operations.find((one) => one.method === method && one.pattern.test(pathname));
    if (!found) throw new Error(`${method} ${pathname} is not in the document`);
    return found;
  }

  /** @throws Error that says what is not as the document says */
  checkRequest(method: string, url: URL, headers: Headers, body: string | undefined): void {
    const operation = this.operationOf(method, url.pathname);
    const inPath = operation.pattern.exec(url.pathname) ?? [];
    const place = `${method} ${url.pathname}`;
    const named = new Set(operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name));
    for (const name of url.searchParams.keys())
      if (!named.has(name)) throw new Error(`${place}: the query has ${name}, the document has not`);
    for (const { name, in: where, required, pointer } of operation.parameters) {
      const value =
        where === 'path'
          ? decodeURIComponent(inPath[operation.pathNames.indexOf(name) + 1] ?? '')
          : where === 'query'
            ? url.searchParams.get(name)
            : headers.get(name);
      if (value === null) {
        if (required === true) throw new Error(`${place}: ${name} is missing`);
        continue;
      }
      const schema = this.#at(`${pointer}/schema`);
      const isNumber = isObject(schema) && schema['type'] === 'integer';
      this.#validate(`${pointer}/schema`, isNumber ? Number(value) : value, `${place}: ${name}`);
    }
    if (!this.#has(`${operation.pointer}/requestBody`)) {
      if (body !== undefined) throw new Error(`${place}: a body the document has not`);
      return;
    }
    const type = mediaTypeOf(headers);
    const media = `${operation.pointer}/requestBody/content/${escaped(type)}`;
    if (!this.#has(media)) throw new Error(`${place}: a body in ${type}`);
    if (type === 'application/json') this.#validate(`${media}/schema`, JSON.parse(body ?? ''), `${place}: body`);
  }

  /** @throws Error that says what is not as the document says */
  async checkResponse(method: string, pathname: string, response: Response): Promise<void> {
    const { id, pointer: operation } = this.operationOf(method, pathname);
    const place = `${method} ${pathname} ${response.status}`;
    const exact = `${operation}/responses/${response.status}`;
    const pointer = this.#resolved(this.#has(exact) ? exact : `${operation}/responses/default`);
    this.seen.add(`${id} ${response.status}`);
    if (this.#has(`${pointer}/headers`)) {
      for (const name of Object.keys(this.#object(`${pointer}/headers`))) {
        const header = this.#resolved(`${pointer}/headers/${name}`);
        const value = response.headers.get(name);
        if (value !== null) {
          const schema = this.#at(`${header}/schema`);
          const isNumber = isObject(schema) && schema['type'] === 'integer';
          this.#validate(`${header}/schema`, isNumber ? Number(value) : value, `${place}: ${name}`);
        } else if (this.#object(header)['required'] === true) throw new Error(`${place}: no ${name}`);
      }
    }
    const body = new Uint8Array(await response.clone().arrayBuffer());
    if (!this.#has(`${pointer}/content`)) {
      if (body.length > 0) throw new Error(`${place}: a body the document has not`);
      return;
    }
    const type = mediaTypeOf(response.headers);
    const media = `${pointer}/content/${escaped(type)}`;
    if (!this.#has(media)) throw new Error(`${place}: ${type} is not in the document`);
    if (!this.#has(`${media}/schema`)) return;
    const text = new TextDecoder().decode(body);
    this.#validate(`${media}/schema`, type.endsWith('json') ? JSON.parse(text) : text, place);
  }

  #readOperations(): Operation[] {
    const base = '/api';
    return Object.entries(this.#object('/paths')).flatMap(([template, item]) => {
      if (!isObject(item)) return [];
      const pathPointer = `/paths/${escaped(template)}`;
      return Object.entries(item)
        .filter(([method]) => ['get', 'post', 'put', 'delete'].includes(method))
        .map(([method, operation]) => {
          const pointer = `${pathPointer}/${method}`;
          const parameters = [pathPointer, pointer].flatMap((owner) => {
            const list = this.#has(`${owner}/parameters`) ? this.#at(`${owner}/parameters`) : [];
            return (Array.isArray(list) ? list : []).map((_item, at) => {
              const resolved = this.#resolved(`${owner}/parameters/${at}`);
              return { ...(this.#at(resolved) as unknown as Parameter), pointer: resolved };
            });
          });
          return {
            id: isObject(operation) && typeof operation['operationId'] === 'string' ? operation['operationId'] : '',
            method: method.toUpperCase(),
            path: template,
            pattern: new RegExp(`^${base}${template.replaceAll(/\{[^}]+\}/gu, '([^/]+)')}$`, 'u'),
            pathNames: [...template.matchAll(/\{([^}]+)\}/gu)].map((found) => found[1] ?? ''),
            pointer,
            parameters,
          };
        });
    });
  }

  #validate(pointer: string, value: unknown, place: string): void {
    let validate = this.#validators.get(pointer);
    if (!validate) {
      validate = this.#ajv.compile({ $ref: `document#${encodeURI(pointer)}`, unevaluatedProperties: false });
      this.#validators.set(pointer, validate);
    }
    if (!validate(value))
      throw new Error(`${place}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 300)}`);
  }

  #at(pointer: string): Json | undefined {
    let value: Json | undefined = this.#document;
    for (const token of pointer.split('/').slice(1)) {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(value)) value = (value as readonly Json[])[Number(name)];
      else if (isObject(value)) value = value[name];
      else return undefined;
    }
    return value;
  }
  #has(pointer: string): boolean {
    return this.#at(pointer) !== undefined;
  }
  #object(pointer: string): JsonObject {
    const value = this.#at(pointer);
    if (!isObject(value)) throw new Error(`the document has no object at ${pointer}`);
    return value;
  }
  /** Where a reference leads to, or the pointer itself. */
  #resolved(pointer: string): string {
    const value = this.#object(pointer);
    const reference = value['$ref'];
    return typeof reference === 'string' ? reference.slice(1) : pointer;
  }
}

const mediaTypeOf = (headers: Headers): string =>
  (headers.get('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** Schemas that others are made of by allOf, opened again. */
function openBases(document: JsonObject): JsonObject {
  const text = JSON.stringify(document);
  const components = document['components'];
  const schemas = isObject(components) ? components['schemas'] : undefined;
  if (!isObject(components) || !isObject(schemas)) return document;
  const bases = new Set(
    [...text.matchAll(/"allOf":\[\{"\$ref":"#\/components\/schemas\/(\w+)"/gu)].map((found) => found[1] ?? ''),
  );
  const opened = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      if (!bases.has(name) || !isObject(schema)) return [name, schema];
      return [name, Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'unevaluatedProperties'))];
    }),
  );
  return { ...document, components: { ...components, schemas: opened } };
}
