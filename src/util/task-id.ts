/** The group of a task, by its id `group/word`. */
export function groupOf(task: string): string {
  return task.slice(0, Math.max(0, task.lastIndexOf("/")));
}

/** The group of an image's tasks: its region, and which one of the region's it is. */
export function groupName(region: string, variant: string | null): string {
  return variant === null ? region : `${region}.${variant}`;
}

/** What `groupName` made a group of; a region has no dot in its name. */
export function imageOfGroup(group: string): { readonly region: string; readonly variant: string | null } {
  const dot = group.indexOf(".");
  return dot < 0
    ? { region: group, variant: null }
    : { region: group.slice(0, dot), variant: group.slice(dot + 1) };
}
