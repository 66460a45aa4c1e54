import { toLater } from "../../util/later.ts";
import type { Rule } from "./rule.ts";

/** EC2 lists an image that everybody may launch for no longer than this, and others for five times as long. */
const publicYears = 2;
const privateYears = 10;

/** A time that there is, and that EC2 takes. */
export const deprecationIsAhead: Rule = {
  needs: [["publish"]],
  *find({ publish: { deprecate, share } }, { now }) {
    if (deprecate === null) return;
    const at = ["publish", "deprecate"];
    const time = toLater(deprecate, now);
    const last = new Date(now);
    const years = share.public ? publicYears : privateYears;
    last.setUTCFullYear(last.getUTCFullYear() + years);
    const what = share.public ? "a public AMI" : "an AMI";
    const hint = 'such as "180d", "2027-06-30" or "2027-06-30T12:00:00Z"';
    if (time === undefined) {
      yield { code: "deprecation-wrong", at, message: `there is no time ${deprecate}`, hint };
    } else if (time <= now) {
      yield { code: "deprecation-wrong", at, message: `${deprecate} is over`, hint };
    } else if (time > last) {
      const message = `EC2 deprecates ${what} within ${years} years, and ${deprecate} is later`;
      yield { code: "deprecation-wrong", at, message };
    }
  },
};
