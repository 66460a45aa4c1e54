const serve = {
  schema: {
    type: "object",
    required: ["port", "site"],
    properties: {
      port: { type: "integer", minimum: 1, maximum: 65535, description: "Where it listens.", examples: [80] },
      site: { $ref: "#/definitions/site" },
      mode: { enum: ["static", "proxy"], default: "static" },
      code: { const: 200 },
      sizes: { type: "array", items: { type: "number", multipleOf: 4 }, maxItems: 2 },
      to: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
      password: { type: "string", minLength: 8, sensitive: true },
      users: { type: "object", additionalProperties: { type: "string", sensitive: true } },
    },
    definitions: { site: { type: "object", additionalProperties: false, properties: { root: { type: "string" } } } },
  },
  *check({ port, mode }) {
    if (port === 81) throw new Error("no such luck");
    if (port === 443) yield { at: ["port"], message: "cannot be had without a certificate", hint: "write 80" };
    if (mode === "proxy") yield { message: "is nothing for today" };
  },
  run: async () => undefined,
};

export default { imgspec: 1, name: "serving", provisioners: { serve } };
