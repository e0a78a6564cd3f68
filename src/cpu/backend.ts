import { type Backend, referenceBackend } from "../backend.ts";
export function openCpuBackend(_threads: number): Promise<Backend> { return Promise.resolve(referenceBackend); }
