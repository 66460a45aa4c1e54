const run = async () => undefined;
const of = (schema) => ({ schema, run });
export default {
  imgspec: 1,
  name: "wrong-schema",
  provisioners: {
    one: of({ type: "object", properties: { a: { type: "text" } } }),
    two: of({ type: "object", properties: { a: { type: "string", patern: "x" } } }),
    three: of({ type: "object", properties: { retries: { type: "integer" } } }),
    four: of({ type: "array" }),
    five: of({ type: "object", properties: { a: { $ref: "https://example.com/a.json" } } }),
  },
};
