import { median, toModel } from "./bundle-report.mjs";

const [width, height, margin] = [880, 400, 56];

/** Two pictures in one: how much each way works and leaves; and what more cores would do. */
export function toSvg(facts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>Bundling: CPU seconds per GiB of each way, and seconds per GiB by cores</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${bars(facts, { left: margin, right: 540, top: 48, bottom: height - 84 })}
${curve(facts, { left: 610, right: width - 24, top: 48, bottom: height - 84 })}
</svg>
`;
}

function bars({ seen, gib }, box) {
  const names = Object.keys(seen).filter((name) => !name.includes(":"));
  const ways = names
    .map((name) => ({
      name,
      seconds: median(seen[name].map((run) => run.cpu)) / gib,
      bytes: seen[name][0].bytes,
    }))
    .sort((a, b) => a.seconds - b.seconds);
  const most = Math.max(...ways.map(({ seconds }) => seconds));
  const step = (box.right - box.left) / ways.length;
  const columns = ways.map(({ name, seconds, bytes }, index) => {
    const x = box.left + index * step + step * 0.15;
    const tall = ((box.bottom - box.top) * seconds) / most;
    const middle = x + step * 0.35;
    const colour = name.startsWith("ours") ? "#2a6f97" : "#c97b4a";
    return [
      `<rect x="${at(x)}" y="${at(box.bottom - tall)}" width="${at(step * 0.7)}" height="${at(tall)}" fill="${colour}"/>`,
      label(middle, box.bottom - tall - 5, seconds.toFixed(1)),
      `<text transform="translate(${at(middle + 4)} ${box.bottom + 8}) rotate(35)">${shorten(name)}, ${(bytes / 1e6).toFixed(0)} MB</text>`,
    ].join("\n");
  });
  return [
    label((box.left + box.right) / 2, 24, "CPU seconds per GiB, as measured"),
    line(box),
    ...columns,
  ].join("\n");
}

function curve(facts, box) {
  const points = toModel(facts).curve;
  const most = Math.max(...points.map(({ seconds }) => seconds));
  const place = ({ seconds }, index) => [
    box.left + ((box.right - box.left - 30) * index) / (points.length - 1) + 15,
    box.bottom - ((box.bottom - box.top) * seconds) / most,
  ];
  const places = points.map(place);
  const marks = points.flatMap(({ cores, seconds }, index) => {
    const [x, y] = places[index];
    return [
      `<circle cx="${at(x)}" cy="${at(y)}" r="3.5" fill="#2a6f97"/>`,
      label(x + 14, y - 8, seconds.toFixed(1)),
      label(x, box.bottom + 18, cores),
    ];
  });
  return [
    label((box.left + box.right) / 2, 24, "seconds per GiB by cores, modelled"),
    line(box),
    `<polyline points="${places.map(([x, y]) => `${at(x)},${at(y)}`).join(" ")}" fill="none" stroke="#2a6f97" stroke-width="2"/>`,
    ...marks,
  ].join("\n");
}

function line({ left, right, bottom }) {
  return `<line x1="${left}" y1="${bottom}" x2="${right}" y2="${bottom}" stroke="#333"/>`;
}

function label(x, y, text) {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="middle">${text}</text>`;
}

function shorten(name) {
  return name.replace("Amazon's, ", "").replace("Amazon's with ", "");
}

function at(value) {
  return value.toFixed(1);
}
