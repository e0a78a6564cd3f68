import type { JobTemplate } from "./template.ts";

/**
 * A script that runs all jobs that are not done, one after another by `sh submit.sh`, or as a Slurm array.
 *
 * @param nJobs in the folder
 * @param chunk jobs of one task of the array
 */
export function submitScript(
  { code, output, done }: JobTemplate,
  command: string,
  nJobs: number,
  chunk: number,
): string {
  const last = Math.ceil(nJobs / chunk) - 1;
  return `#!/bin/sh
#SBATCH --job-name=label
#SBATCH --array=0-${last}
#SBATCH --ntasks=1
# ${code}: ${nJobs} jobs, ${chunk} in a task of the array. Jobs that are done are left out: submit it
# again for those that failed. Partition, time and modules of your cluster belong here.
cd "\${SLURM_SUBMIT_DIR:-$(dirname "$0")}" || exit 1
chunk=${chunk} task=\${SLURM_ARRAY_TASK_ID:-all} n=0
for job in [0-9][0-9][0-9][0-9]*/; do
  own=$((n / chunk)) n=$((n + 1))
  if [ "$task" != all ] && [ "$task" != "$own" ]; then continue; fi
  if grep -qs '${done}' "$job/${output}"; then continue; fi
  (cd "$job" && ${command})
done
`;
}
