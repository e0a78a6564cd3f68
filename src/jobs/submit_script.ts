import { basename } from "node:path";
import type { JobTemplate } from "./template.ts";

/**
 * A script that runs all jobs that are not done, one after another by `sh submit.sh`, or as a Slurm array. It goes to
 * where jobs.csv is: Slurm runs a copy of it from elsewhere.
 *
 * @param folder of the jobs
 * @param nJobs in it
 * @param chunk jobs of one task of the array
 */
export function submitScript(
  { code, output, done, failed }: JobTemplate,
  command: string,
  folder: string,
  nJobs: number,
  chunk: number,
): string {
  const last = Math.ceil(nJobs / chunk) - 1;
  const again = failed === null ? "" : ` && ! grep -qs '${failed}' "$job/${output}"`;
  return `#!/bin/sh
#SBATCH --job-name=label
#SBATCH --array=0-${last}
#SBATCH --ntasks=1
# ${code}: ${nJobs} jobs, ${chunk} in a task of the array. Jobs that are done are left out: submit it
# again for those that failed. Partition, time and modules of your cluster belong here.
for place in "$(dirname "$0")" "\${SLURM_SUBMIT_DIR:-.}" "\${SLURM_SUBMIT_DIR:-.}/${
    basename(folder)
  }"; do
  if [ -f "$place/jobs.csv" ] && [ -f "$place/submit.sh" ]; then break; fi
  place=
done
cd "\${place:?submit it from the folder of jobs.csv}" || exit 1
chunk=${chunk} task=\${SLURM_ARRAY_TASK_ID:-all} n=0
for job in $(sed -e 1d -e 's/.*,//' jobs.csv); do
  own=$((n / chunk)) n=$((n + 1))
  if [ "$task" != all ] && [ "$task" != "$own" ]; then continue; fi
  if grep -qs '${done}' "$job/${output}"${again}; then continue; fi
  (cd "$job" && ${command})
done
`;
}
