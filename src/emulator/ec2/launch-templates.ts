import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import { type Ec2Action, type Ec2Answer, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { toPage } from "./pages.ts";
import type { Params } from "./params.ts";
import type { LaunchTemplate, LaunchTemplateVersion } from "./records.ts";
import { newId } from "./state.ts";
import { readTagSpecifications, toTagSet } from "./tags.ts";

const createTemplate: Ec2Action = (call) => {
  const { params, region } = call;
  const name = params.required("LaunchTemplateName");
  if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name)) {
    throw new AwsFault("InvalidLaunchTemplateName.MalformedException", `Invalid name: "${name}"`);
  }
  if ([...region.launchTemplates.values()].some((one) => one.name === name)) {
    throw new AwsFault(
      "InvalidLaunchTemplateName.AlreadyExistsException",
      "Launch template name already in use.",
    );
  }
  const version = readVersion(params, 1);
  const tags = readTagSpecifications(params, "launch-template");
  proceed(call);
  const { createdAt } = version;
  const made = { id: newId("lt"), name, createdAt, defaultVersion: 1, versions: [version], tags };
  region.launchTemplates.set(made.id, made);
  return { launchTemplate: toTemplate(call, made) };
};

const createVersion: Ec2Action = (call) => {
  const template = templateOf(call);
  const version = readVersion(call.params, template.versions.length + 1);
  proceed(call);
  const changed = { ...template, versions: [...template.versions, version] };
  call.region.launchTemplates.set(template.id, changed);
  return { launchTemplateVersion: toVersion(call, changed, version) };
};

const modifyTemplate: Ec2Action = (call) => {
  const template = templateOf(call);
  const [version] = versionsOf(template, [call.params.required("SetDefaultVersion")]);
  proceed(call);
  const changed = { ...template, defaultVersion: version?.number ?? template.defaultVersion };
  call.region.launchTemplates.set(template.id, changed);
  return { launchTemplate: toTemplate(call, changed) };
};

const deleteTemplate: Ec2Action = (call) => {
  const template = templateOf(call);
  proceed(call);
  call.region.launchTemplates.delete(template.id);
  return { launchTemplate: toTemplate(call, template) };
};

type Chosen = { readonly template: LaunchTemplate; readonly version: LaunchTemplateVersion };

const describeVersions: Ec2Action = (call) => {
  const asked = call.params.list("LaunchTemplateVersion");
  const chosen = filtered(call.params, templatesOf(call, asked).flatMap(toChosen(asked)), {
    "image-id": ({ version }) => version.imageId,
    "instance-type": ({ version }) => version.instanceType,
    "is-default-version": ({ template, version }) => version.number === template.defaultVersion,
  });
  const page = toPage(call.params, chosen, 200);
  return {
    launchTemplateVersionSet: toItems(
      page.things.map(({ template, version }) => toVersion(call, template, version)),
    ),
    nextToken: page.nextToken,
  };
};

function toChosen(asked: readonly string[]): (template: LaunchTemplate) => readonly Chosen[] {
  return (template) =>
    (asked.length === 0 ? template.versions : versionsOf(template, asked)).map((version) => ({
      template,
      version,
    }));
}

/** Of all templates there are only the versions that each has. */
function templatesOf(call: Ec2Call, asked: readonly string[]): readonly LaunchTemplate[] {
  const { params, region } = call;
  if (params.has("LaunchTemplateId") || params.has("LaunchTemplateName")) return [templateOf(call)];
  const hint =
    "To describe the launch template data for all your launch templates, for '--versions' specify '$Latest', '$Default', or both, and omit '--launch-template-id', '--launch-template-name', and version numbers.";
  if (asked.length === 0) throw new AwsFault("MissingParameter", hint);
  if (asked.some((version) => !words.includes(version))) throw new AwsFault("InvalidParameterValue", hint);
  return [...region.launchTemplates.values()];
}

function templateOf({ params, region }: Ec2Call): LaunchTemplate {
  const [id, name] = [params.text("LaunchTemplateId"), params.text("LaunchTemplateName")];
  if (id === undefined && name === undefined) {
    throw new AwsFault(
      "MissingParameter",
      "Either LaunchTemplateId or LaunchTemplateName must be specified, but not both.",
    );
  }
  const found = [...region.launchTemplates.values()].find((one) =>
    id === undefined ? one.name === name : one.id === id,
  );
  if (found) return found;
  if (id === undefined) {
    throw new AwsFault(
      "InvalidLaunchTemplateName.NotFoundException",
      `The specified launch template, with template name ${name}, does not exist.`,
    );
  }
  throw new AwsFault(
    "InvalidLaunchTemplateId.NotFound",
    `The specified launch template, with template ID ${id}, does not exist.`,
  );
}

const words: readonly string[] = ["$Latest", "$Default"];

function versionsOf(
  { versions, defaultVersion }: LaunchTemplate,
  asked: readonly string[],
): readonly LaunchTemplateVersion[] {
  return asked.map((word) => {
    const latest = versions.length;
    const number = word === "$Latest" ? latest : word === "$Default" ? defaultVersion : Number(word);
    const found = versions.find((version) => version.number === number);
    if (found) return found;
    throw new AwsFault(
      "InvalidLaunchTemplateId.VersionNotFound",
      `Could not find launch template version ${word}.`,
    );
  });
}

/** AWS keeps all that RunInstances takes; here only what tells who uses an image. */
function readVersion(params: Params, number: number): LaunchTemplateVersion {
  if (!params.has("LaunchTemplateData"))
    throw new AwsFault("MissingParameter", "The request must contain the parameter LaunchTemplateData");
  const data = params.group("LaunchTemplateData");
  const [imageId = null, instanceType = null] = [data.text("ImageId"), data.text("InstanceType")];
  const [keyName = null, userData = null] = [data.text("KeyName"), data.text("UserData")];
  const createdAt = new Date().toISOString();
  return { number, createdAt, imageId, instanceType, keyName, userData };
}

function toTemplate(call: Ec2Call, template: LaunchTemplate): Ec2Answer {
  return {
    launchTemplateId: template.id,
    launchTemplateName: template.name,
    createTime: template.createdAt,
    createdBy: call.world.callerArn("aws"),
    defaultVersionNumber: template.defaultVersion,
    latestVersionNumber: template.versions.length,
    tagSet: toTagSet(template.tags),
  };
}

function toVersion(call: Ec2Call, template: LaunchTemplate, version: LaunchTemplateVersion): XmlValue {
  return {
    launchTemplateId: template.id,
    launchTemplateName: template.name,
    versionNumber: version.number,
    createTime: version.createdAt,
    createdBy: call.world.callerArn("aws"),
    defaultVersion: version.number === template.defaultVersion,
    launchTemplateData: {
      imageId: version.imageId ?? undefined,
      instanceType: version.instanceType ?? undefined,
      keyName: version.keyName ?? undefined,
      userData: version.userData ?? undefined,
    },
  };
}

export const launchTemplateActions: Readonly<Record<string, Ec2Action>> = {
  CreateLaunchTemplate: createTemplate,
  CreateLaunchTemplateVersion: createVersion,
  ModifyLaunchTemplate: modifyTemplate,
  DeleteLaunchTemplate: deleteTemplate,
  DescribeLaunchTemplateVersions: describeVersions,
};
