import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./pages.ts";
import { filesOf } from "./site-pages.ts";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!browser) process.stderr.write("the site is not looked at in a browser: there is no chromium\n");

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgspec-browser-"));
  await promisify(execFile)(process.execPath, [join(root, "docs/site/build.mjs"), join(folder, "site")]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test.runIf(browser)("no page of the site is wider than a telephone, and none complains", async () => {
  const pages = filesOf(join(folder, "site")).filter((name) => name.endsWith(".html"));
  const seen = await look(pages, (page) => ({
    isWider: page.documentElement.scrollWidth > 360,
    hasSearch: !page.querySelector("search")?.hasAttribute("hidden"),
    hasStyle: page.defaultView.getComputedStyle(page.body).display === "grid",
  }));
  const sound = { isWider: false, hasSearch: true, hasStyle: true };
  expect(seen).toEqual(Object.fromEntries(pages.map((page) => [page, sound])));
});

test.runIf(browser)("the search finds keys, and leads to them from a page in a folder", async () => {
  const seen = await look(["reference/cli.html"], (page) => {
    const query = page.querySelector("#query");
    query.value = "bundle.at";
    query.dispatchEvent(new page.defaultView.Event("input"));
    const [first] = page.querySelectorAll("#results a");
    return { text: first.textContent, address: first.href.split("/site/")[1] };
  });
  expect(seen["reference/cli.html"]).toEqual({
    text: "bundle.atKeys of an image spec",
    address: "reference/spec.html#bundle.at",
  });
});

test.runIf(browser)("text can be read in light and in dark", async () => {
  for (const scheme of ["0", "1"]) {
    const seen = await look(["spec.html"], contrasts, `--blink-settings=preferredColorScheme=${scheme}`);
    const { ratios, paper } = seen["spec.html"] as { ratios: Record<string, number>; paper: string };
    expect(paper).toBe(scheme === "0" ? "rgb(20, 24, 29)" : "rgb(255, 255, 255)");
    expect(Object.keys(ratios).length).toBeGreaterThan(6);
    // WCAG 2.2, level AA.
    expect(Object.entries(ratios).filter(([, ratio]) => ratio < 4.5)).toEqual([]);
  }
});

// biome-ignore lint/suspicious/noExplicitAny: it runs in the browser, whose types the tests do not have
type InBrowser = (page: any) => unknown;

/** How far the texts of a page are from what is behind them, by what they are. */
const contrasts: InBrowser = (page) => {
  const channels = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const lightOf = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = channels(colour).map((value) =>
      value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const styleOf = (element: object): { color: string; backgroundColor: string } =>
    page.defaultView.getComputedStyle(element);
  const ratios: Record<string, number> = {};
  for (const element of page.querySelectorAll("main *, nav *, header *")) {
    let behind = element;
    while (behind.parentElement && channels(styleOf(behind).backgroundColor)[3] === 0)
      behind = behind.parentElement;
    const [a, b] = [lightOf(styleOf(element).color), lightOf(styleOf(behind).backgroundColor)];
    const name = `${element.localName}.${element.className}`;
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    ratios[name] = Math.min(ratios[name] ?? 99, ratio);
  }
  return { ratios, paper: styleOf(page.body).backgroundColor };
};

/** Opens pages from the disk, 360 pixels wide, and gives what the function sees in each. */
async function look(
  pages: readonly string[],
  see: InBrowser,
  ...options: readonly string[]
): Promise<Record<string, unknown>> {
  const frames = pages.map((page) => `<iframe src="site/${page}" name="${page}"></iframe>`).join("");
  const script = `onload = () => {
    const see = ${see.toString()};
    const frames = [...document.querySelectorAll("iframe")];
    const seen = frames.map((frame) => [frame.name, see(frame.contentDocument)]);
    document.body.textContent = JSON.stringify(Object.fromEntries(seen));
  };`;
  const html = `<style>iframe { width: 360px; height: 700px; border: 0 }</style>${frames}<script>${script}</script>`;
  await writeFile(join(folder, "look.html"), html);
  const { stdout } = await promisify(execFile)(
    browser ?? "",
    [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"],
      ...[`--user-data-dir=${join(folder, "profile")}`, ...options, `file://${folder}/look.html`],
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const [, json = ""] = /<body>(.*)<\/body>/s.exec(stdout) ?? [];
  return JSON.parse(json.replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">"));
}
