/** The part of jstat that is used. */
declare module "jstat" {
  interface Distribution {
    cdf(x: number, degrees: number): number;
    inv(p: number, degrees: number): number;
  }
  const jstat: { readonly studentt: Distribution };
  export default jstat;
}
