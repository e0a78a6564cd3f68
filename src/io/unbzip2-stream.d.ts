declare module "unbzip2-stream" {
  /** Decompresses what is written into it. */
  export default function unbzip2(): NodeJS.ReadWriteStream;
}
