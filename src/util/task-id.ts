/** The group of a task, by its id `group/word`: the region. */
export function groupOf(task: string): string {
  return task.slice(0, Math.max(0, task.lastIndexOf("/")));
}
