/** What is used of jsfive, which has no types of its own. */
declare module "jsfive" {
  export interface Dataset {
    readonly shape: readonly number[];
    readonly value: ArrayLike<number> | readonly string[];
  }
  export class File {
    readonly filename: string;
    constructor(bytes: ArrayBuffer, name: string);
    /** Throws a string where nothing is of that name. */
    get(path: string): Dataset;
  }
}
