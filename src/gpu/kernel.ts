import { checked, type Gpu } from "./device.ts";

/** A compiled kernel: binding 0 is its uniform, further bindings are storage buffers in order. */
export interface Kernel {
  readonly label: string;
  dispatch(
    pass: GPUComputePassEncoder,
    buffers: readonly GPUBuffer[],
    groupsX: number,
    groupsY?: number,
    groupsZ?: number,
  ): void;
}

/** Compiles one WGSL file whose entry point is named as the file.
 * @throws {ShaderError} with the driver's message, which names line and column */
export async function openKernel(gpu: Gpu, label: string, code: string): Promise<Kernel> {
  const { device } = gpu;
  const pipeline = await checked(gpu, label, () =>
    device.createComputePipeline({
      label,
      layout: "auto",
      compute: { module: device.createShaderModule({ label, code }), entryPoint: label },
    }));
  const layout = pipeline.getBindGroupLayout(0);
  return {
    label,
    dispatch(pass, buffers, groupsX, groupsY = 1, groupsZ = 1) {
      if (groupsX === 0) return;
      const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ label, layout, entries }));
      pass.dispatchWorkgroups(groupsX, groupsY, groupsZ);
    },
  };
}

/** Largest number of workgroups along one axis. */
const MAX_GROUPS = 65535;

/** Folds a long row of workgroups into two axes; `row` is the number along x. */
export function fold(nGroups: number): { x: number; y: number } {
  const y = Math.ceil(nGroups / MAX_GROUPS);
  return { x: y > 0 ? Math.ceil(nGroups / y) : 0, y };
}

/** A storage buffer with the given content, or of a number of bytes. */
export function storageBuffer(
  { device }: Gpu,
  label: string,
  content: Float32Array | Uint32Array | number,
): GPUBuffer {
  const bytes = typeof content === "number" ? content : content.byteLength;
  const buffer = device.createBuffer({
    label,
    size: Math.max(16, Math.ceil(bytes / 16) * 16),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  // A zero-length write aborts Deno's process.
  if (typeof content !== "number" && content.length > 0) {
    device.queue.writeBuffer(buffer, 0, content as Float32Array<ArrayBuffer>);
  }
  return buffer;
}

/** A uniform buffer of 4-byte fields in the order of the kernel's Params. */
export function uniform(
  { device }: Gpu,
  label: string,
  fields: readonly (readonly ["u32" | "f32", number])[],
): GPUBuffer {
  const view = new DataView(new ArrayBuffer(Math.ceil(fields.length / 4) * 16));
  fields.forEach(([type, value], i) => {
    if (type === "u32") view.setUint32(4 * i, value, true);
    else view.setFloat32(4 * i, value, true);
  });
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label, size: view.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, view.buffer as ArrayBuffer);
  return buffer;
}

/** Submits the encoder and reads buffers back, all in one staging buffer and one await. */
export async function readBack(
  gpu: Gpu,
  encoder: GPUCommandEncoder,
  sources: readonly (readonly [buffer: GPUBuffer, bytes: number])[],
): Promise<ArrayBuffer[]> {
  const { device } = gpu;
  const size = sources.reduce((sum, [, bytes]) => sum + bytes, 0);
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ label: "readback", size: Math.max(size, 4), usage });
  try {
    await checked(gpu, "readback", () => {
      let at = 0;
      for (const [buffer, bytes] of sources) {
        encoder.copyBufferToBuffer(buffer, 0, staging, at, bytes);
        at += bytes;
      }
      device.queue.submit([encoder.finish()]);
    });
    await staging.mapAsync(GPUMapMode.READ);
    const mapped = staging.getMappedRange();
    let at = 0;
    return sources.map(([, bytes]) => mapped.slice(at, at += bytes));
  } finally {
    staging.destroy();
  }
}
