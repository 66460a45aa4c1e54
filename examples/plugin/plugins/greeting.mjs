// A plugin with one kind of step, `greet`. It imports nothing of imgspec but types, which editors and tsc check.

/**
 * What the schema below lets in.
 *
 * @typedef {object} Options
 * @property {readonly string[]} to
 * @property {"plain" | "loud"} style
 * @property {import("imgspec").Secret} [signature]
 */

/** @type {import("imgspec").Provisioner<Options>} */
const greet = {
  schema: {
    type: "object",
    description: "Installs a command greet that greets people.",
    examples: [{ to: ["world"] }],
    required: ["to"],
    properties: {
      to: {
        type: "array",
        description: "Who is greeted.",
        minItems: 1,
        items: { type: "string", description: "A name.", examples: ["world"] },
        examples: [["world"]],
      },
      style: { type: "string", description: "How loud.", enum: ["plain", "loud"], default: "plain" },
      signature: { type: "string", description: "Whose greetings they are.", sensitive: true },
    },
  },

  describe: ({ to, style }) => `${to.join(", ")}${style === "loud" ? " loudly" : ""}`,

  *check({ to }) {
    for (const [index, name] of to.entries()) {
      if (/[\n']/.test(name)) yield { at: ["to", index], message: "must be a name", hint: "without quotes" };
    }
  },

  async run({ run, log, secret, instance }, { to, style, signature }) {
    const lines = to.map((name) => (style === "loud" ? `HELLO ${name.toUpperCase()}!` : `Hello ${name}.`));
    await run(
      `umask 022
      printf '#!/bin/sh\\n' >/usr/bin/greet
      printf '%s\\n' "$LINES_TO_SAY" | sed "s/.*/echo '&'/" >>/usr/bin/greet
      chmod 755 /usr/bin/greet`,
      { sudo: true, env: { LINES_TO_SAY: lines.join("\n") } },
    );
    if (signature !== undefined) {
      await run('umask 077; echo "$SIGNATURE" >/etc/greet.signature', {
        sudo: true,
        env: { SIGNATURE: secret(signature) },
      });
    }
    const { stdout } = await run("greet");
    log(`${instance.id} greets in ${stdout.trim().split("\n").length} lines`);
  },
};

/** @satisfies {import("imgspec").Plugin} */
const plugin = { imgspec: 1, name: "greeting", provisioners: { greet } };

export default plugin;
