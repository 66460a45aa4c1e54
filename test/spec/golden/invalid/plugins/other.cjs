const nothing = { schema: { type: "object" }, run: async () => undefined };
module.exports = { imgspec: 1, name: "other", provisioners: { serve: nothing, shell: nothing, rest: nothing } };
