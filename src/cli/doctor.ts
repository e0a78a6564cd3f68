export async function runDoctor(_: readonly string[]): Promise<void> { await Promise.resolve(); }
