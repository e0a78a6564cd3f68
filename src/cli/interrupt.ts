import process from "node:process";

let interrupted = false;

/** Turns Ctrl-C, and what a batch system sends before it kills, into a flag that long stages ask for; a second
 * one stops at once. */
export function watchInterrupts(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (interrupted) process.exit(130);
      interrupted = true;
    });
  }
}

export function isInterrupted(): boolean {
  return interrupted;
}
