import process from "node:process";

let interrupted = false;

/** Turns Ctrl-C into a flag that long stages ask for; a second Ctrl-C stops at once. */
export function watchInterrupts(): void {
  process.on("SIGINT", () => {
    if (interrupted) process.exit(130);
    interrupted = true;
  });
}

export function isInterrupted(): boolean {
  return interrupted;
}
