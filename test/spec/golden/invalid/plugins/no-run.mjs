export default { imgspec: 1, name: "no-run", provisioners: { idle: { schema: { type: "object" } } } };
