// Lets routes carry a summary and tags.
import type {} from '@fastify/swagger';
import { z } from 'zod';

/** JSON Schemas for the API's description, from the schemas that validate. */

type JsonSchema = Readonly<Record<string, unknown>>;

/** What a route is listed under: the gateway's own, or the kind of a destination that serves it. */
type Tag = 'settings' | 'delivery' | 'operations' | (string & {});

/** A route's line in the description. */
export function describe(
  tag: Tag,
  summary: string,
): { tags: Tag[]; summary: string; security: { apikey: [] }[] } {
  return { tags: [tag], summary, security: [{ apikey: [] }] };
}

export function schemaOf(schema: z.core.$ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'openapi-3.0',
    unrepresentable: 'any',
    override: ({ zodSchema: { _zod }, jsonSchema }) => {
      // Older names are turned into present ones first: only those are described.
      if (_zod.def.type === 'pipe') Object.assign(jsonSchema, schemaOf((_zod.def as z.core.$ZodPipeDef).out));
    },
  });
}
