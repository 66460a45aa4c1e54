import type { PlainValue } from "../document/node.ts";
import { Problem } from "../problem.ts";
import { toBundleAndUpload, toCertificate, toRegions, toRegister } from "./bundle-sections.ts";
import { type Imported, toImported, toName } from "./imported.ts";
import { type Section, toConnect, toLaunch, toSource, withoutAbsent } from "./launch-sections.ts";
import { builderReasons, otherBuilder } from "./not-carried.ts";
import { Options, type Reading } from "./options.ts";
import { type Rebase, toRebase } from "./paths.ts";
import { toVariableName } from "./pieces.ts";
import { toSteps } from "./provision.ts";
import { toPublish } from "./publish-section.ts";
import type { Builder, Template, TemplateVariable } from "./template.ts";
import { toVariables } from "./variables.ts";

/**
 * Makes a spec of one builder of a template. `specPath`: where the spec will be, for its relative paths.
 * Throws `usage-wrong` where it is not clear which builder is meant, and `spec-invalid` where there is none.
 */
export function toImageSpec(template: Template, specPath: string, wanted: string | undefined): Imported {
  const builder = choose(template, wanted);
  const reading: Reading = {
    world: {
      builder: builder.name,
      fields: { BuildRegion: { cel: "region.name" } },
      variables: new Set(template.variables.keys()),
      lists: namesOf(template, ({ type }) => type === "list"),
      plain: namesOf(template, isPlain),
      used: { environment: new Set(), variables: new Set() },
    },
    leftovers: template.leftovers,
    reasons: template.reasons,
    passwords: new Set(),
  };
  const sections = toSections(template, builder, reading, toRebase(template.path, specPath));
  for (const other of template.builders)
    if (other.type !== "amazon-instance")
      template.leftovers.push(otherBuilder(other.type, other.name, other.place));
  template.leftovers.push(...builder.others);
  return toImported(sections, template.leftovers, template.description);
}

/** The variables of a kind, by their names in the spec. */
function namesOf(
  { variables }: Template,
  isOne: (variable: TemplateVariable) => boolean,
): ReadonlySet<string> {
  return new Set(
    [...variables].flatMap(([name, variable]) => (isOne(variable) ? [toVariableName(name)] : [])),
  );
}

/** A number, or true or false: of what is written, or else of the default. */
function isPlain({ type, default: standard }: TemplateVariable): boolean {
  if (type !== undefined) return type === "number" || type === "boolean";
  return standard?.kind === "scalar" && standard.value !== null && typeof standard.value !== "string";
}

function choose({ builders, path }: Template, wanted: string | undefined): Builder {
  const fitting = builders.filter(({ type }) => type === "amazon-instance");
  const named = wanted === undefined ? fitting : fitting.filter(({ name }) => name === wanted);
  const [first, second] = named;
  const names = fitting.map(({ name }) => name).join(", ");
  if (fitting.length === 0)
    throw new Problem("spec-invalid", `"${path}" has no builder of type amazon-instance`, {
      hint: "imgspec builds instance store-backed images; for others Packer stays the tool",
    });
  if (!first)
    throw new Problem("usage-wrong", `"${path}" has no amazon-instance builder "${wanted}"`, {
      hint: `there are: ${names}`,
    });
  if (second)
    throw new Problem("usage-wrong", `"${path}" has several amazon-instance builders: ${names}`, {
      hint: "a spec is made of one: name it with --builder NAME",
    });
  return first;
}

function toSections(template: Template, builder: Builder, reading: Reading, rebase: Rebase): Section {
  const options = new Options(builder.options, "", reading);
  const { bundle, upload } = toBundleAndUpload(options);
  const regions = toRegions(options, (text) => defaultOf(text, template));
  const source = withoutAbsent(toSource(options, builder.sourceFilter));
  const launch = withoutAbsent(toLaunch(options, rebase));
  const connect = withoutAbsent(toConnect(options, rebase));
  const certificate = withoutAbsent(toCertificate(options, rebase));
  const register = withoutAbsent(toRegister(options));
  const publish = withoutAbsent(toPublish(options));
  options.dropRest(builderReasons, knownOptions);
  const provision = builder.provisioners.flatMap((block) => toSteps(block, reading, rebase));
  const variables = toVariables(template, reading);
  const environment = [...reading.world.used.environment].sort();
  return {
    imgspec: 1,
    name: toName(builder.name === "amazon-instance" ? stemOf(template.path) : builder.name),
    variables: orAbsent(variables),
    env: environment.length > 0 ? environment : undefined,
    source: orAbsent(source),
    launch: orAbsent(launch),
    connect: orAbsent(connect),
    provision: provision.length > 0 ? provision : undefined,
    bundle: orAbsent(withoutAbsent(bundle)),
    certificate: orAbsent(certificate),
    upload: orAbsent(withoutAbsent(upload)),
    register: orAbsent(register),
    publish: orAbsent(publish),
    regions: orAbsent(withoutAbsent(regions)),
  };
}

/** Options that are read, for guessing what was meant by another. */
const knownOptions =
  "source_ami source_ami_filter instance_type security_group_ids subnet_id region profile ssh_username ssh_port ami_name ami_description s3_bucket bundle_prefix x509_cert_path x509_key_path user_data user_data_file run_tags tags ami_users ami_groups ami_org_arns ami_ou_arns deprecate_at deregistration_protection ena_support sriov_support imds_support".split(
    " ",
  );

function orAbsent(section: { [key: string]: PlainValue }): PlainValue | undefined {
  return Object.keys(section).length > 0 ? section : undefined;
}

/** The default of the variable that a whole value is. */
function defaultOf(text: string, { variables }: Template): string | undefined {
  const [, name] = /^\$\{\{ vars\.(\w+) \}\}$/.exec(text) ?? [];
  const found = [...variables].find(([each]) => toVariableName(each) === name);
  const node = found?.[1].default;
  return node?.kind === "scalar" && typeof node.value === "string" && node.value !== "" && !node.broken
    ? node.value
    : undefined;
}

function stemOf(path: string): string {
  return (path.split("/").at(-1) ?? "").replace(/(\.pkr)?\.(json|hcl)$/, "");
}
